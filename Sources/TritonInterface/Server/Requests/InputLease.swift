internal import Threads

/// The time for which the server has a program's request and its inputs. It ends by itself when nothing refers to the
/// inputs any more.
final class InputLease: Sendable {
    private let ending: Locked<(@Sendable () -> Void)?>

    /// - Parameter ending: gives the request back.
    init(_ ending: @escaping @Sendable () -> Void) { self.ending = Locked(ending) }

    /// It ends now, on the calling thread, which holds no lock.
    func end() { ending.withLock { $0.take() }?() }

    /// The server never took the request.
    func abandon() { ending.withLock { $0 = nil } }

    deinit {
        // Whoever drops the last reference may hold a lock, or be anywhere in an engine: the program is called from
        // elsewhere.
        if let ending = ending.withLock({ $0.take() }) { CallbackThreads.shared.run(ending) }
    }
}
