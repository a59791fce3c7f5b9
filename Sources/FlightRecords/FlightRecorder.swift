package import Scheduling
internal import Threads

/// Keeps the last batches of one model version: why each had the size that it had can be looked at later.
package final class FlightRecorder: Sendable {
    fileprivate struct State {
        var ring: BatchRing
        /// By instance.
        var names: [String] = []
    }

    /// Batches that are kept at most.
    package let capacity: Int
    private let state: Locked<State>

    /// - Parameter capacity: batches that are kept at most.
    package init(capacity: Int) {
        let ring = BatchRing(capacity: capacity)
        self.capacity = ring.capacity
        state = Locked(State(ring: ring))
    }

    /// Keeps a batch that has been executed.
    ///
    /// - Parameters:
    ///   - batch: without a number, and without requests.
    ///   - name: that of its instance.
    ///   - count: of its requests.
    ///   - request: each of them, by its position.
    package func record(
        _ batch: RecordedBatch, by name: String, count: Int, request: (Int) -> RecordedRequest
    ) {
        state.withLock { state in
            if batch.instance >= state.names.count || state.names[batch.instance].isEmpty {
                state.name(batch.instance, name)
            }
            state.ring.append(batch, count: count, member: request)
        }
    }

    /// What is kept.
    ///
    /// - Parameter number: only batches behind the one with that number.
    package func batches(
        after number: UInt64 = 0
    ) -> (batches: [RecordedBatch], instances: [String], count: UInt64) {
        state.withLock { ($0.ring.batches(after: number), $0.names, $0.ring.batchCount) }
    }
}

extension FlightRecorder.State {
    fileprivate mutating func name(_ index: Int, _ name: String) {
        guard index >= 0, index < 1 << 16 else { return }
        while names.count <= index { names.append("") }
        names[index] = name
    }
}

extension RecordedRequest {
    /// A number that tells a shape apart from others.
    package static func number(of shape: ShapeKey) -> UInt32 {
        guard !shape.openDimensions.isEmpty else { return 0 }
        // FNV-1a: the same in every process, so that recordings can be compared.
        var hash: UInt32 = 2_166_136_261
        for dimension in shape.openDimensions {
            for shift in stride(from: 0, to: 64, by: 8) {
                hash = (hash ^ UInt32(truncatingIfNeeded: dimension >> shift) & 0xFF) &* 16_777_619
            }
        }
        return max(1, hash)
    }
}
