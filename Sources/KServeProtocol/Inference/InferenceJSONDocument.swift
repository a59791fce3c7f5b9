internal import JSONText
internal import ModelRuntime
internal import Tensors

/// The JSON of an inference request. What an input's values mean depends on fields that may stand behind them: then
/// only their place in the text is noted.
struct InferenceJSONDocument {
    struct Tensor {
        var name: String?
        var dataType: String?
        var shape: TensorShape?
        /// The values, where type and shape stood before them.
        var values: TensorBuffer?
        /// Where the values stand in the text, where type or shape were not known by then.
        var data: Range<Int>?
        var binarySize: Int?
        var isBinary: Bool?
        var classCount = 0
        var region: String?
        var regionOffset = 0
        var regionSize: Int?

        func regionReference() throws -> RegionReference? {
            guard let region else { return nil }
            guard let regionSize else { throw InferenceJSONDocument.missing("shared_memory_byte_size") }
            return RegionReference(name: region, offset: regionOffset, byteCount: regionSize)
        }
    }

    private(set) var id = ""
    private(set) var parameters = RequestParameters()
    private(set) var inputs: [Tensor]?
    private(set) var outputs: [Tensor] = []

    /// - Parameter budget: what the values count against.
    init(_ text: UnsafeRawBufferPointer, limits: ProtocolLimits, budget: ByteBudget) throws {
        var scanner = JSONScanner(text, limits: limits.inferenceText)
        guard try scanner.kind() == .object else { throw Self.mismatch("request", "object") }
        try scanner.object { scanner, name in
            switch name {
            case "id": id = try Self.string(&scanner, name)
            case "parameters": try Self.parameters(&scanner) { try parameters.set($0, $1, from: .http) }
            case "inputs": inputs = try Self.tensors(&scanner, name, limit: limits.inputs, budget)
            case "outputs": outputs = try Self.tensors(&scanner, name, limit: limits.outputs, budget)
            default: try scanner.skip()
            }
        }
        try scanner.end()
    }

    private static func tensors(
        _ scanner: inout JSONScanner, _ list: String, limit: Int, _ budget: ByteBudget
    ) throws -> [Tensor] {
        guard try scanner.kind() == .array else { throw mismatch(list, "array") }
        var tensors: [Tensor] = []
        try scanner.array { scanner in
            guard tensors.count < limit else {
                throw HalcyonError(.invalidArgument, "a request may have at most \(limit) \(list)")
            }
            tensors.append(try tensor(&scanner, list, budget))
        }
        return tensors
    }

    private static func tensor(
        _ scanner: inout JSONScanner, _ list: String, _ budget: ByteBudget
    ) throws -> Tensor {
        guard try scanner.kind() == .object else { throw mismatch(list, "object") }
        var tensor = Tensor()
        try scanner.object { scanner, name in
            switch name {
            case "name": tensor.name = try string(&scanner, name)
            case "datatype": tensor.dataType = try string(&scanner, name)
            case "shape": tensor.shape = try shape(&scanner, of: tensor.name)
            case "data":
                guard try scanner.kind() == .array else { throw mismatch(name, "array") }
                try values(&scanner, of: &tensor, budget)
            case "parameters": try parameters(&scanner) { try set($0, $1, of: &tensor) }
            default: try scanner.skip()
            }
        }
        return tensor
    }

    private static func values(
        _ scanner: inout JSONScanner, of tensor: inout Tensor, _ budget: ByteBudget
    ) throws {
        if let type = tensor.dataType.flatMap(ElementType.init(rawValue:)), let shape = tensor.shape {
            let reader = TensorJSONReader(
                name: tensor.name ?? "", elementType: type, shape: shape, budget: budget)
            tensor.values = try reader.read(&scanner)
            return
        }
        let start = scanner.position
        try scanner.skip()
        tensor.data = start..<scanner.position
    }

    private static func set(_ name: String, _ value: RequestParameters.Value, of tensor: inout Tensor) throws {
        switch name {
        case "binary_data_size": tensor.binarySize = try count(name, value)
        case "binary_data":
            guard case .bool(let flag) = value else { throw mismatch(name, "boolean") }
            tensor.isBinary = flag
        case "classification": tensor.classCount = try count(name, value)
        case "shared_memory_region":
            guard case .string(let region) = value else { throw mismatch(name, "string") }
            tensor.region = region
        case "shared_memory_offset": tensor.regionOffset = try count(name, value)
        case "shared_memory_byte_size": tensor.regionSize = try count(name, value)
        default: break
        }
    }

    private static func shape(_ scanner: inout JSONScanner, of name: String?) throws -> TensorShape {
        guard try scanner.kind() == .array else { throw mismatch("shape", "array") }
        var dimensions: [Int] = []
        try scanner.array { scanner in
            guard try scanner.kind() == .number else { throw mismatch("shape", "unsigned-integer") }
            guard case .integer(let size) = try scanner.number(), size >= 0 else {
                throw mismatch("shape", "unsigned-integer")
            }
            try ProtocolLimits.checkRank(dimensions.count + 1, of: name)
            dimensions.append(Int(size))
        }
        return TensorShape(dimensions)
    }

    private static func string(_ scanner: inout JSONScanner, _ field: String) throws -> String {
        guard try scanner.kind() == .string else { throw mismatch(field, "string") }
        return try scanner.string(longest: ProtocolLimits.textLength)
    }

    private static func parameters(
        _ scanner: inout JSONScanner, _ set: (String, RequestParameters.Value) throws -> Void
    ) throws {
        guard try scanner.kind() == .object else { throw mismatch("parameters", "object") }
        var count = 0
        try scanner.object { scanner, name in
            try ProtocolLimits.checkParameters(count)
            count += 1
            switch try scanner.kind() {
            case .bool: try set(name, .bool(try scanner.bool()))
            case .string: try set(name, .string(try scanner.string(longest: ProtocolLimits.parameterLength)))
            case .number:
                switch try scanner.number() {
                case .integer(let value): try set(name, .integer(value))
                case .unsigned(let value): try set(name, .unsigned(value))
                case .double(let value): try set(name, .number(value))
                }
            default:
                throw HalcyonError(
                    .invalidArgument,
                    "parameter '\(name.shortened())' has invalid type. It should be either 'int', 'bool', 'string' "
                        + "or 'double'."
                )
            }
        }
    }

    private static func count(_ field: String, _ value: RequestParameters.Value) throws -> Int {
        guard case .integer(let number) = value, number >= 0 else { throw mismatch(field, "unsigned-integer") }
        return Int(number)
    }

    static func missing(_ field: String) -> HalcyonError {
        HalcyonError(
            .invalidArgument, "Unable to parse '\(field)': attempt to access non-existing object member '\(field)'")
    }

    static func mismatch(_ field: String, _ kind: String) -> HalcyonError {
        HalcyonError(
            .invalidArgument, "Unable to parse '\(field)': attempt to access JSON non-\(kind) as \(kind)")
    }
}
