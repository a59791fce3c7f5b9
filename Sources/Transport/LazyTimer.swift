package import NIOCore

/// The timer of a channel's handler. It goes off at the deadline that was set, or before: whoever is called looks at
/// the time itself, and sets it again. So a deadline that moves away, as one does with every byte that comes, costs
/// nothing.
package struct LazyTimer {
    private var scheduled: Scheduled<Void>?
    /// When it goes off.
    private var deadline = NIODeadline.distantFuture

    package init() {}

    /// The earlier of two deadlines, of which either may not be set.
    package static func earlier(_ first: NIODeadline?, _ second: NIODeadline?) -> NIODeadline? {
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }

    /// Sees to it that the timer goes off in time; one that is early is let be.
    ///
    /// - Parameters:
    ///   - deadline: `nil` for no need of it.
    ///   - body: called on the event loop, where the current thread must be. It begins with ``wentOff()``.
    package mutating func arm<Handler: AnyObject>(
        at deadline: NIODeadline?, on eventLoop: any EventLoop, of handler: Handler,
        _ body: @escaping @Sendable (Handler) -> Void
    ) {
        guard let deadline, scheduled == nil || deadline < self.deadline else { return }
        scheduled?.cancel()
        self.deadline = deadline
        let handler = NIOLoopBound(handler, eventLoop: eventLoop)
        scheduled = eventLoop.scheduleTask(deadline: deadline) { body(handler.value) }
    }

    package mutating func wentOff() { scheduled = nil }

    package mutating func cancel() {
        scheduled?.cancel()
        scheduled = nil
    }
}
