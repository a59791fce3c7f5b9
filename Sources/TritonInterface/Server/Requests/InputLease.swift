internal import CTriton
internal import Synchronization

/// The time for which the server has a program's request and its inputs. It ends by itself when nothing refers to the
/// inputs any more.
final class InputLease: Sendable {
    private let request: InferenceRequestObject
    private let call: ReleaseCall
    private let isOver = Atomic<Bool>(false)

    /// - Parameter call: gives the request back.
    init(_ request: InferenceRequestObject, _ call: ReleaseCall) {
        self.request = request
        self.call = call
    }

    private func endsNow() -> Bool { !isOver.exchange(true, ordering: .acquiringAndReleasing) }

    /// It ends now, on the calling thread, which holds no lock.
    func end() { if endsNow() { Self.giveBack(request, call) } }

    /// The server never took the request.
    func abandon() { isOver.store(true, ordering: .releasing) }

    private static func giveBack(_ request: InferenceRequestObject, _ call: ReleaseCall) {
        if !request.isDeleted { call.run() }
    }

    deinit {
        // Whoever drops the last reference may hold a lock, or be anywhere in an engine: the program is called from
        // elsewhere.
        guard endsNow() else { return }
        CallbackThreads.shared.run { [request, call] in Self.giveBack(request, call) }
    }
}

/// The call that gives a request back.
struct ReleaseCall: @unchecked Sendable {
    let function: TRITONSERVER_InferenceRequestReleaseFn_t
    let request: OpaquePointer
    let userp: UnsafeMutableRawPointer?

    func run() {
        Callback.call { function(request, TRITONSERVER_REQUEST_RELEASE_ALL.rawValue, userp) }
    }
}
