internal import JSONText
internal import ModelConfigurations
internal import Tensors

/// What a conversion came to, as the worker reports it.
struct ConversionResult: Sendable {
    /// How far an output moved, over the inputs that were tried.
    struct Difference: Sendable {
        var output: String
        var maximum: Double
        var mean: Double
        /// The least and the largest value that the original gave.
        var range: [Double]
    }

    /// What quantisation changed, measured here.
    struct Quantisation: Sendable {
        var bytesBefore: Int
        var bytesAfter: Int
        var millisecondsBefore: Double
        var millisecondsAfter: Double
        /// How far the results agree with the original's on the pictures that were held back, 0 to 1.
        var agreement: Double?
        var pictures: Int
        var heldBack: Int
    }

    var inputs: [TensorConfiguration]
    var outputs: [TensorConfiguration]
    var maxBatch: Int
    /// Names in the output folder.
    var files: [String]
    /// The build of the engine that compiled, where something was compiled.
    var engineVersion: String?
    var engineParameters: [String: String]
    var differences: [Difference]
    var quantisation: Quantisation?

    /// - Throws: `internal` that says what is missing: the worker is a part of Halcyon, but what it says is checked all
    ///   the same.
    init(_ value: JSONValue) throws(HalcyonError) {
        inputs = try Self.tensors(value["inputs"], "inputs")
        outputs = try Self.tensors(value["outputs"], "outputs")
        guard let maxBatch = value["max_batch"]?.integer, maxBatch >= 0 else { throw Self.missing("max_batch") }
        self.maxBatch = maxBatch
        let names = value["files"]?.elements?.compactMap(\.text) ?? []
        guard !names.isEmpty, names.allSatisfy(Self.isFileName) else { throw Self.missing("files") }
        files = names
        engineVersion = value["compiled"]?["openvino"]?.text
        var parameters: [String: String] = [:]
        if case .object(let members) = value["engine_parameters"] {
            for member in members { parameters[member.key] = member.value.text }
        }
        engineParameters = parameters
        differences = (value["verify"]?.elements ?? []).compactMap { entry in
            guard let output = entry["output"]?.text, let maximum = entry["max_difference"]?.real,
                let mean = entry["mean_difference"]?.real
            else { return nil }
            return Difference(
                output: output, maximum: maximum, mean: mean,
                range: entry["original_range"]?.elements?.compactMap(\.real) ?? [])
        }
        quantisation = value["quantisation"].flatMap(Self.quantisation)
    }

    private static func quantisation(_ value: JSONValue) -> Quantisation? {
        guard let bytesBefore = value["bytes_before"]?.integer, let bytesAfter = value["bytes_after"]?.integer,
            let before = value["milliseconds_before"]?.real, let after = value["milliseconds_after"]?.real
        else { return nil }
        return Quantisation(
            bytesBefore: bytesBefore, bytesAfter: bytesAfter, millisecondsBefore: before, millisecondsAfter: after,
            agreement: value["agreement"]?.real, pictures: value["pictures"]?.integer ?? 0,
            heldBack: value["held_back"]?.integer ?? 0)
    }

    private static func tensors(_ value: JSONValue?, _ what: String) throws(HalcyonError) -> [TensorConfiguration] {
        guard let elements = value?.elements, !elements.isEmpty else { throw missing(what) }
        var tensors: [TensorConfiguration] = []
        for element in elements {
            guard let name = element["name"]?.text, !name.isEmpty,
                let type = element["type"]?.text.flatMap({ ElementType(configurationName: "TYPE_" + $0) }),
                let dimensions = element["dims"]?.elements?.compactMap(\.integer),
                dimensions.count == element["dims"]?.elements?.count,
                dimensions.allSatisfy({ $0 > 0 || $0 == TensorShape.variable })
            else { throw missing(what) }
            let format = element["format"]?.text.flatMap(TensorConfiguration.Format.init(rawValue:)) ?? .none
            tensors.append(
                TensorConfiguration(name: name, elementType: type, dimensions: TensorShape(dimensions), format: format))
        }
        return tensors
    }

    static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && !name.contains("/") && !name.utf8.contains(0)
    }

    private static func missing(_ what: String) -> HalcyonError {
        HalcyonError(.internal, "the converter's report has no usable '\(what)'")
    }
}
