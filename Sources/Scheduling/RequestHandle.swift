/// Names a waiting request. It goes stale when the request leaves the queue, and a stale handle finds nothing.
package struct RequestHandle: Hashable, Sendable {
    let index: Int
    let generation: UInt32
}
