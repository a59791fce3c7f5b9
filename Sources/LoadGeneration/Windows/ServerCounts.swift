/// What a server's statistics say of a model, since it was loaded or between two looks.
package struct ServerCounts: Hashable, Sendable {
    /// How often something happened, and how long it took in all.
    package struct Total: Hashable, Sendable {
        package var count: UInt64 = 0
        package var nanoseconds: UInt64 = 0

        package init(count: UInt64 = 0, nanoseconds: UInt64 = 0) {
            self.count = count
            self.nanoseconds = nanoseconds
        }

        /// Nanoseconds each time; 0 for never.
        package var mean: Double { count == 0 ? 0 : Double(nanoseconds) / Double(count) }

        static func + (left: Total, right: Total) -> Total {
            Total(count: left.count &+ right.count, nanoseconds: left.nanoseconds &+ right.nanoseconds)
        }

        /// A server that was restarted in between counts from 0 again.
        static func - (left: Total, right: Total) -> Total {
            left.count < right.count
                ? left : Total(count: left.count - right.count, nanoseconds: left.nanoseconds &- right.nanoseconds)
        }
    }

    package var inferences: UInt64 = 0
    package var executions: UInt64 = 0
    package var success = Total()
    package var fail = Total()
    package var queue = Total()
    package var computeInput = Total()
    package var computeInfer = Total()
    package var computeOutput = Total()
    package var cacheHit = Total()
    /// Executions by batch size.
    package var batches: [Int: UInt64] = [:]

    package init() {}

    /// Items in an execution; 0 without any.
    package var meanBatch: Double { executions == 0 ? 0 : Double(inferences) / Double(executions) }

    package var largestBatch: Int { batches.filter { $0.value > 0 }.keys.max() ?? 0 }

    /// What happened since an earlier look.
    package func since(_ earlier: ServerCounts) -> ServerCounts {
        func difference(_ left: UInt64, _ right: UInt64) -> UInt64 { left < right ? left : left - right }
        var counts = ServerCounts()
        counts.inferences = difference(inferences, earlier.inferences)
        counts.executions = difference(executions, earlier.executions)
        counts.success = success - earlier.success
        counts.fail = fail - earlier.fail
        counts.queue = queue - earlier.queue
        counts.computeInput = computeInput - earlier.computeInput
        counts.computeInfer = computeInfer - earlier.computeInfer
        counts.computeOutput = computeOutput - earlier.computeOutput
        counts.cacheHit = cacheHit - earlier.cacheHit
        counts.batches = batches.reduce(into: [:]) { batches, batch in
            let count = difference(batch.value, earlier.batches[batch.key] ?? 0)
            if count > 0 { batches[batch.key] = count }
        }
        return counts
    }

    /// Another version's, or another window's.
    package mutating func add(_ other: ServerCounts) {
        inferences &+= other.inferences
        executions &+= other.executions
        success = success + other.success
        fail = fail + other.fail
        queue = queue + other.queue
        computeInput = computeInput + other.computeInput
        computeInfer = computeInfer + other.computeInfer
        computeOutput = computeOutput + other.computeOutput
        cacheHit = cacheHit + other.cacheHit
        batches.merge(other.batches) { $0 &+ $1 }
    }
}
