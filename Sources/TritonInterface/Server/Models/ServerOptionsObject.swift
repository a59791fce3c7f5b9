/// What C programs say that a server is to be started with.
package final class ServerOptionsObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .serverOptions }
    /// Whatever the room that starts servers makes of it.
    package let content: any AnyObject & Sendable

    package init(_ content: any AnyObject & Sendable) {
        self.content = content
        super.init()
    }
}
