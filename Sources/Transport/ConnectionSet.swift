internal import NIOCore
internal import Threads

/// The open connections of a listener.
final class ConnectionSet: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        /// Of those who wait until there are none.
        var waiters: [AsyncStream<Never>.Continuation] = []
    }

    let maximum: Int
    private let state = Locked(State())

    init(maximum: Int) { self.maximum = maximum }

    /// Takes in a connection until it closes.
    ///
    /// - Returns: whether there was room.
    func add(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let hasRoom = state.withLock { state in
            guard state.channels.count < maximum else { return false }
            state.channels[id] = channel
            return true
        }
        if hasRoom { channel.closeFuture.whenComplete { _ in self.remove(id) } }
        return hasRoom
    }

    private func remove(_ id: ObjectIdentifier) {
        let waiters = state.withLock { state in
            state.channels[id] = nil
            guard state.channels.isEmpty else { return [AsyncStream<Never>.Continuation]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.finish() }
    }

    /// Returns when there are none, or when the task is cancelled.
    func waitUntilEmpty() async {
        let (end, waiter) = AsyncStream.makeStream(of: Never.self)
        let isEmpty = state.withLock { state in
            if !state.channels.isEmpty { state.waiters.append(waiter) }
            return state.channels.isEmpty
        }
        if isEmpty { return }
        for await _ in end {}
    }

    func forEach(_ body: (any Channel) -> Void) {
        for channel in state.withLock({ Array($0.channels.values) }) { body(channel) }
    }
}
