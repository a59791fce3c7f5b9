internal import ModelConfiguration
internal import Tensors

/// What executions of one item took before the first request, in nanoseconds.
package struct WarmUpTimes: Hashable, Sendable {
    package var first: UInt64
    package var steady: UInt64
}

/// Inputs to try a model with.
enum WarmUp {
    /// How long the sizes beyond the necessary ones may take altogether, in nanoseconds.
    static let patience: UInt64 = 2_000_000_000

    /// The batch sizes to try beyond one item, as an engine may set up each anew: the preferred sizes in any case, then
    /// all others that a batch can have, while they are quick.
    static func batchSizes(for configuration: ModelConfiguration) -> (necessary: [Int], others: [Int]) {
        guard configuration.maxBatchSize > 1, let preferred = preferredSizes(configuration) else { return ([], []) }
        let necessary = Set(preferred).subtracting([1])
        // Larger batches are seldom met in all sizes.
        let others = (2...min(configuration.maxBatchSize, 16)).filter { !necessary.contains($0) }
        return (necessary.sorted(), others)
    }

    /// `nil` for a model of which requests run one by one.
    private static func preferredSizes(_ configuration: ModelConfiguration) -> [Int]? {
        switch configuration.sequenceBatching?.strategy {
        case .direct: []
        case .oldest(_, let preferred, _, _): preferred
        case nil: configuration.dynamicBatching?.preferredBatchSizes
        }
    }

    /// One item of zeros for each input; `nil` where a dimension is open, and for texts, as the empty one may be none
    /// that the model takes.
    static func item(for configuration: ModelConfiguration) throws(HalcyonError) -> [Tensor]? {
        guard configuration.inputs.allSatisfy({ !$0.modelDimensions.isVariable && $0.elementType != .bytes }) else {
            return nil
        }
        var inputs: [Tensor] = []
        for input in configuration.inputs {
            let shape = configuration.maxBatchSize > 0 ? input.modelDimensions.prepending(1) : input.modelDimensions
            let byteCount = try shape.byteCount(of: input.elementType)
            let storage = BufferStorage.allocate(byteCount: byteCount)
            storage.baseAddress.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            inputs.append(
                try Tensor(
                    name: input.name, elementType: input.elementType, shape: shape, data: Buffer(storage)))
        }
        return inputs
    }
}
