internal import Synchronization
package import Tensors
internal import Threads

/// Which of a model's outputs have the shape that its description promises, as far as its executions have shown. Those
/// may be written into memory that was asked for before the execution.
package final class CertainOutputs: Sendable {
    private struct Seen {
        var keepsPromise = false
        var hasBroken = false
    }

    private let seen: Locked<[Seen]>
    /// Whether an execution into memory that was asked for before has failed.
    private let isGivenUp = Atomic<Bool>(false)

    package init(count: Int) { seen = Locked(Array(repeating: Seen(), count: count)) }

    /// Whether every execution that chose where its outputs lie, and one at least, has given the output in the promised
    /// shape.
    private func isCertain(_ output: Int) -> Bool {
        !isGivenUp.load(ordering: .relaxed) && seen.withLock { $0[output].keepsPromise && !$0[output].hasBroken }
    }

    /// What an execution gave.
    ///
    /// - Parameter promised: `nil` where the description leaves the shape open.
    package func note(_ output: Int, _ shape: TensorShape, promised: TensorShape?) {
        seen.withLock { seen in
            if shape == promised { seen[output].keepsPromise = true } else { seen[output].hasBroken = true }
        }
    }

    /// Memory of the caller's for an output, if that is certain. Where what comes is of no use nobody asks again.
    package func memory(
        for output: Int, named name: String, shape: TensorShape, as type: ElementType, of batch: inout ExecutionBatch
    ) -> TensorStorage? {
        guard isCertain(output) else { return nil }
        let memory = batch.callersMemory(for: name, shape: shape, as: type)
        if memory == nil { seen.withLock { $0[output].hasBroken = true } }
        return memory
    }

    /// No output is certain any more.
    package func giveUp() { isGivenUp.store(true, ordering: .relaxed) }

    /// The shape that a description promises for a batch.
    ///
    /// - Parameters:
    ///   - dimensions: as described, −1 for open ones; `nil` where nothing is said.
    ///   - batchSize: what an open first dimension is; `nil` where the model does not batch.
    /// - Returns: `nil` where a size is open.
    package static func promised(_ dimensions: [Int]?, batchSize: Int?) -> TensorShape? {
        guard var sizes = dimensions, !sizes.isEmpty else { return nil }
        if sizes[0] == TensorShape.variable, let batchSize { sizes[0] = batchSize }
        return sizes.contains(TensorShape.variable) ? nil : TensorShape(sizes)
    }
}
