internal import Tensors
internal import Threads

/// The requests that an instance has, by the pointers through which its backend answers them: those that would be left
/// when the instance goes.
final class HeldRequests: Sendable {
    private struct Held {
        var source: any RequestSource
        var isFactory: Bool
    }

    private struct State {
        var held: [UInt: Held] = [:]
        var loss: HalcyonError?
    }

    private let state = Locked(State())

    /// - Throws: why the instance takes nothing more.
    func add(_ handle: OpaquePointer, _ source: any RequestSource) throws(HalcyonError) {
        try state.withLock { state throws(HalcyonError) in
            if let loss = state.loss { throw loss }
            state.held[UInt(bitPattern: handle)] = Held(source: source, isFactory: false)
        }
    }

    func add(factory handle: OpaquePointer, _ source: any RequestSource) {
        state.withLock { $0.held[UInt(bitPattern: handle)] = Held(source: source, isFactory: true) }
    }

    func remove(_ handle: OpaquePointer?) {
        // What is kept goes outside the lock.
        let gone = state.withLock { $0.held.removeValue(forKey: UInt(bitPattern: handle)) }
        withExtendedLifetime(gone) {}
    }

    /// The instance has gone with what it has: all of it ends with that error, and nobody waits for the backend to give
    /// it back.
    func abandon(_ error: HalcyonError) {
        let held = state.withLock { state in
            state.loss = error
            return Array(state.held.values)
        }
        for each in held { each.source.abandon(error) }
    }

    /// Gives up the pointers that are left. The backend uses none of them any more; should it, it is told so.
    func giveUpHandles() {
        let held = state.withLock { state in
            defer { state.held = [:] }
            return state.held
        }
        for (handle, each) in held {
            let pointer = OpaquePointer(bitPattern: handle)
            if each.isFactory {
                _ = try? Handles.take(pointer, as: ResponseFactoryObject.self, "")
            } else {
                (try? Handles.take(pointer, as: RequestObject.self, ""))?.end()
            }
        }
    }
}
