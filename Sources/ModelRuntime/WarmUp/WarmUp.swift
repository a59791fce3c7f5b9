internal import ModelConfigurations
internal import Tensors

/// What executions of one item took before the first request, in nanoseconds.
package struct WarmUpTimes: Hashable, Sendable {
    package var first: UInt64
    package var steady: UInt64
}

/// What came of running a model before its first request.
package struct WarmUpReport: Hashable, Sendable {
    /// `nil` where the model did not run on made-up inputs, or failed on them.
    package var times: WarmUpTimes?
    /// Why there are no times.
    package var reason: String?
    /// An output whose first dimension is not the batch, although the configuration says that the model batches.
    package var outputWithoutBatch: String?
}

/// Inputs to try a model with.
package enum WarmUp {
    /// How long the samples of a model may take altogether, in nanoseconds: those that others wait for can't wait for
    /// ever.
    static let samplePatience: UInt64 = 60_000_000_000

    /// How long the sizes beyond the necessary ones may take altogether on an instance, in nanoseconds.
    ///
    /// Engines on a GPU try out for each new size which of several ways is the fastest, which takes up to a second: a
    /// request that comes first with its size would wait for that, and all those behind it.
    static func patience(onGPU isOnGPU: Bool) -> UInt64 { isOnGPU ? 20_000_000_000 : 2_000_000_000 }

    /// The largest batch, in bytes of its inputs and outputs, that is made to warm a model up. A configuration can name
    /// any size, and what it names must not be the end of the process.
    package static let byteLimit = 1 << 30

    /// What an item costs beside its bytes.
    private static let itemOverhead = 128

    /// Whether a batch of that many items of that size is within ``byteLimit``.
    static func fits(itemByteCount: Int, batchSize: Int) -> Bool {
        let (item, tooLarge) = itemByteCount.addingReportingOverflow(itemOverhead)
        let (total, tooMany) = item.multipliedReportingOverflow(by: batchSize)
        return !tooLarge && !tooMany && total <= byteLimit
    }

    /// The batch sizes to try beyond one item, as an engine may set up each anew: those that the configuration prefers
    /// in any case, then all others that a batch can have, while they are quick.
    static func batchSizes(
        for configuration: ModelConfiguration, fixed: Int? = nil
    ) -> (necessary: [Int], others: [Int]) {
        guard fixed == nil, configuration.maxBatchSize > 1, !configuration.isDecoupled,
            let preferred = preferredSizes(configuration)
        else { return ([], []) }
        let isDefault = configuration.dynamicBatching?.hasDefaultSizes == true
        let necessary = isDefault ? [] : Set(preferred).subtracting([1])
        // Larger batches are seldom met in all sizes.
        let most = min(configuration.maxBatchSize, 16)
        var others = (2...most).filter { !necessary.contains($0) }
        // A full batch is the one to expect under load.
        if isDefault, configuration.maxBatchSize == most { others = [most] + others.dropLast() }
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

    /// The bytes of one item of zeros with the outputs that it leads to; the maximum for what no number can say.
    static func itemByteCount(for configuration: ModelConfiguration) -> Int {
        (configuration.inputs + configuration.outputs).reduce(0) { sum, tensor in
            guard !tensor.modelDimensions.isVariable, tensor.elementType != .bytes else { return sum }
            guard let bytes = try? tensor.modelDimensions.byteCount(of: tensor.elementType) else { return .max }
            let (total, overflow) = sum.addingReportingOverflow(bytes)
            return overflow ? .max : total
        }
    }

    /// One item of zeros for each input.
    static func item(for configuration: ModelConfiguration) throws(HalcyonError) -> [Tensor] {
        var inputs: [Tensor] = []
        for input in configuration.inputs {
            let shape = configuration.maxBatchSize > 0 ? input.modelDimensions.prepending(1) : input.modelDimensions
            inputs.append(
                try Tensor(
                    name: input.name, elementType: input.elementType, shape: shape,
                    data: .zeros(byteCount: try shape.byteCount(of: input.elementType))))
        }
        return inputs
    }

    /// Why a model is not tried with zeros; `nil` where it is.
    ///
    /// An input may be a parameter: a step, a divisor, a scale, a size, of which 0 is none, and engines are known to
    /// end the process on it. Such inputs are integers, or numbers that stand alone or in a row. Pictures, sounds and
    /// features are floating-point numbers, or bytes, of two dimensions and more. Only a model all of whose inputs are
    /// such is tried.
    static func obstacle(_ configuration: ModelConfiguration) -> String? {
        for input in configuration.inputs {
            if input.modelDimensions.isVariable { return "input '\(input.name)' has open dimensions" }
            let rank = input.modelDimensions.rank + (configuration.maxBatchSize > 0 ? 1 : 0)
            guard input.elementType.holdsMeasurements, rank >= 2 else {
                return "input '\(input.name)' may be a parameter for which 0 is no value"
            }
        }
        return nil
    }
}

extension ElementType {
    /// Whether pictures, sounds and features are of that type, and sizes, steps and indices are not.
    fileprivate var holdsMeasurements: Bool {
        switch self {
        case .fp16, .bf16, .fp32, .fp64, .uint8: true
        default: false
        }
    }
}

extension TensorBuffer {
    static func zeros(byteCount: Int) -> TensorBuffer {
        let storage = TensorStorage.allocate(byteCount: byteCount)
        storage.baseAddress.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return TensorBuffer(storage)
    }
}
