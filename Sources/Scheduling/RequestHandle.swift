/// Names a waiting request. It goes stale when the request leaves the queue, and a stale handle finds nothing.
package struct RequestHandle: Hashable, Sendable {
    private let number: UInt32
    let generation: UInt32

    /// Small, so that it fits beside what else stands for a request.
    init(index: Int, generation: UInt32) {
        number = UInt32(truncatingIfNeeded: index)
        self.generation = generation
    }

    var index: Int { Int(number) }
}
