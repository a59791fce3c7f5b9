internal import Tensors

/// A model's parameters and the backend's defaults for them, taken apart: what this backend acts on itself, and the
/// engine's own properties.
struct ModelParameters: Sendable, Equatable {
    /// The engine's properties, by name.
    var properties: [String: String] = [:]
    /// `ENABLE_BATCH_PADDING`: whether a batch is filled up where the model's batch dimension is fixed.
    var padsBatches = false
    /// `RESHAPE_IO_LAYERS`: whether the model's inputs take the configuration's dimensions.
    var reshapesInputs = false
    /// `SKIP_OV_DYNAMIC_BATCHSIZE`: whether a fixed batch dimension is left as it is.
    var keepsFixedBatch = false
    /// `FIXED_BATCH_SIZES`: for which batch sizes the model is compiled once more, in ascending order.
    var fixedBatchSizes: [Int] = []
    /// The model's parameters that concern neither this backend nor the engine, in alphabetical order.
    var ignored: [String] = []

    /// Where compiled models are kept; `nil` for nowhere.
    var cacheDirectory: String? { properties["CACHE_DIR"].flatMap { $0.isEmpty ? nil : $0 } }

    /// - Parameters:
    ///   - backend: the operator's settings for all models, by names in any case.
    ///   - model: the `parameters` of a model's configuration. They may come over the network, so they can't name
    ///     files or folders.
    /// - Throws: `invalidArgument` or `unsupported`, with the parameter's name.
    init(backend: [String: String], model: [String: String], modelName: String) throws(HalcyonError) {
        for (name, value) in backend.sorted(by: { $0.key < $1.key }) {
            try take(name.uppercased(), value, owner: "the openvino backend's configuration", isModel: false)
        }
        for (name, value) in model.sorted(by: { $0.key < $1.key }) {
            guard Self.looksLikeProperty(name) else {
                ignored.append(name)
                continue
            }
            try take(name, value, owner: "model '\(modelName)'", isModel: true)
        }
    }

    private mutating func take(_ name: String, _ value: String, owner: String, isModel: Bool) throws(HalcyonError) {
        let subject = "\(owner): parameter '\(name)'"
        switch name {
        case "ENABLE_BATCH_PADDING": padsBatches = try Self.flag(value, subject)
        case "RESHAPE_IO_LAYERS": reshapesInputs = try Self.flag(value, subject)
        case "SKIP_OV_DYNAMIC_BATCHSIZE": keepsFixedBatch = try Self.flag(value, subject)
        case "FIXED_BATCH_SIZES":
            guard isModel else {
                throw HalcyonError(.unsupported, "\(subject) is for the configuration of a model, not for all")
            }
            fixedBatchSizes = try Self.batchSizes(value, subject)
        case "HINT_BF16": properties["INFERENCE_PRECISION_HINT"] = try Self.flag(value, subject) ? "bf16" : "f32"
        case "TARGET_DEVICE":
            guard value.uppercased() == "CPU" else {
                throw HalcyonError(.unsupported, "\(subject) is '\(value)', but only the CPU device is supported")
            }
        case "CPU_EXTENSION_PATH", "CACHE_DIR":
            guard !isModel || (name == "CACHE_DIR" && value.isEmpty) else {
                throw HalcyonError(
                    .unsupported,
                    "\(subject) names a path, which only the backend's own configuration may do, not a model's")
            }
            if name == "CACHE_DIR" { properties[name] = value }
        default:
            if let reason = Self.refused[name] { throw HalcyonError(.unsupported, "\(subject) \(reason)") }
            properties[name] = value
        }
    }

    /// Properties that must not reach the engine from text: values that it takes for pointers, and files; and the
    /// names that properties had in older versions.
    private static let refused = [
        "CACHE_ENCRYPTION_CALLBACKS": "is not a text, and can't be set here",
        "MODEL_PTR": "is not a text, and can't be set here",
        "COMPILED_BLOB": "is not a text, and can't be set here",
        "WEIGHTS_PATH": "names a file outside the model, and can't be set here",
        "CPU_THREADS_NUM": "is an old name: write INFERENCE_NUM_THREADS",
        "CPU_THROUGHPUT_STREAMS": "is an old name: write NUM_STREAMS",
        "CPU_BIND_THREAD": "is an old name: write ENABLE_CPU_PINNING",
        "ENFORCE_BF16": "is an old name: write INFERENCE_PRECISION_HINT",
        "SKIP_DYNAMIC_BATCHSIZE": "is an old name: write SKIP_OV_DYNAMIC_BATCHSIZE",
    ]

    private static func looksLikeProperty(_ name: String) -> Bool {
        name.first?.isUppercase == true
            && name.allSatisfy { $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_") }
    }

    /// Batch sizes for which a model may be compiled apart.
    private static let mostBatchSizes = 16

    private static func batchSizes(_ value: String, _ subject: String) throws(HalcyonError) -> [Int] {
        let words = value.split(separator: ",", omittingEmptySubsequences: false).map { $0.split(separator: " ") }
        let sizes = Set(words.compactMap { $0.count == 1 ? Int($0[0]) : nil }.filter { $0 > 0 })
        guard sizes.count == words.count, sizes.count <= mostBatchSizes else {
            throw HalcyonError(
                .invalidArgument,
                "\(subject) is '\(value)'; expected up to \(mostBatchSizes) different batch sizes with commas between "
                    + "them, 1,8 for instance")
        }
        return sizes.sorted()
    }

    private static func flag(_ value: String, _ subject: String) throws(HalcyonError) -> Bool {
        switch value.uppercased() {
        case "YES", "TRUE": return true
        case "NO", "FALSE": return false
        default: throw HalcyonError(.invalidArgument, "\(subject) is '\(value)'; expected YES or NO")
        }
    }
}
