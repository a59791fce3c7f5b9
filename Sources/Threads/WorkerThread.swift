private import CPlatform
package import Tensors

/// A thread of the operating system with a name that `top -H` shows.
///
/// Everything that blocks runs on one of these, never on Swift's cooperative pool.
package final class WorkerThread: Sendable {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let thread: UInt64

    /// Starts the thread. It must be joined or detached.
    ///
    /// - Throws: `internal` where the system refuses another thread.
    package init(
        name: String, _ run: @escaping @Sendable () -> Void
    ) throws(HalcyonError) {
        let context = Unmanaged.passRetained(Body(run))
        var handle: UInt64 = 0
        let failure = name.withCString { name in
            halcyon_thread_start(
                name,
                { context in
                    guard let context else { return }
                    Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                }, context.toOpaque(), &handle)
        }
        guard failure == 0 else {
            context.release()
            throw HalcyonError(.internal, "the system refuses to start the thread '\(name)': errno \(failure)")
        }
        thread = handle
    }

    /// Waits until the thread's body has returned. Call it exactly once.
    package func join() { halcyon_thread_join(thread) }

    /// Lets the thread clean up after itself, in place of ``join()``.
    package func detach() { halcyon_thread_detach(thread) }

    /// Starts a thread that nobody joins.
    ///
    /// - Throws: `internal` where the system refuses another thread.
    package static func detach(name: String, _ run: @escaping @Sendable () -> Void) throws(HalcyonError) {
        try WorkerThread(name: name, run).detach()
    }
}
