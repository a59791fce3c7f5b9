internal import ModelFiles
internal import ProtobufWire
internal import Tensors

/// What of an ONNX file can be judged without a library: its inputs, outputs and nodes' outputs, and the names of files
/// that its weights lie in.
struct ONNXFile {
    private(set) var inputs: [SourceModel.Port] = []
    private(set) var outputs: [SourceModel.Port] = []
    /// Every tensor that a node of the main graph makes.
    private(set) var tensors: Set<String> = []
    /// Files beside the model that weights lie in.
    private(set) var externalFiles: Set<String> = []

    /// Reads the model's message.
    init(_ bytes: Slice<UnsafeRawBufferPointer>) throws {
        var file = ONNXFile()
        var initializers: Set<String> = []
        try ONNXParts.each(bytes) { part in
            switch part {
            case .tensor(let tensor, let isOfMainGraph):
                if isOfMainGraph { initializers.insert(tensor.name) }
                try file.add(tensor)
            case .node(let node, let isOfMainGraph): if isOfMainGraph { file.tensors.formUnion(node.outputs) }
            case .input(let bytes): file.inputs.append(try Self.port(bytes))
            case .output(let bytes): file.outputs.append(try Self.port(bytes))
            }
        }
        file.inputs.removeAll { initializers.contains($0.name) }
        self = file
    }

    private init() {}

    /// Looks at a tensor's sizes and where its data lie.
    private mutating func add(_ tensor: ONNXParts.Tensor) throws {
        try Self.checkSize(try tensor.dimensions(), of: "its weights '\(tensor.name)'")
        for place in tensor.place where place.key == "location" {
            try WeightsLocation(tensor: tensor.name, name: place.value).checkName()
            externalFiles.insert(place.value)
        }
    }

    /// Elements that a tensor may have: 2⁴⁰, far beyond what any machine holds.
    static let maximumElements: UInt64 = 1 << 40

    static func checkSize(_ dimensions: [UInt64], of subject: String) throws(HalcyonError) {
        var count: UInt64 = 1
        for dimension in dimensions where dimension > 0 {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard !overflow, product <= maximumElements else {
                let shown = dimensions.map { "\(Int64(bitPattern: $0))" }.joined(separator: ",")
                throw HalcyonError(
                    .invalidArgument, "\(subject) have the dimensions [\(shown)], which no machine could hold")
            }
            count = product
        }
    }

    /// An input or output: name in field 1, type in field 2.
    private static func port(_ bytes: Slice<UnsafeRawBufferPointer>) throws -> SourceModel.Port {
        var port = SourceModel.Port(name: "", dimensions: nil)
        try ProtobufFields.each(bytes) { number, value in
            if number == 1 { port.name = value.text ?? "" }
            guard number == 2, let type = value.bytes else { return }
            try ProtobufFields.each(type) { number, value in
                // Only tensors have a shape that is of interest.
                guard number == 1, let tensor = value.bytes else { return }
                try ProtobufFields.each(tensor) { number, value in
                    if number == 2, let shape = value.bytes { port.dimensions = try dimensions(shape) }
                }
            }
        }
        let known = (port.dimensions ?? []).filter { $0 > 0 }.map { UInt64($0) }
        try checkSize(known, of: "the elements of its input or output '\(port.name)'")
        return port
    }

    private static func dimensions(_ shape: Slice<UnsafeRawBufferPointer>) throws -> [Int] {
        var dimensions: [Int] = []
        try ProtobufFields.each(shape) { number, value in
            guard number == 1, let dimension = value.bytes else { return }
            var size = TensorShape.variable
            try ProtobufFields.each(dimension) { number, value in
                guard number == 1, let value = value.number else { return }
                let signed = Int64(bitPattern: value)
                size = signed < 0 ? TensorShape.variable : Int(signed)
            }
            dimensions.append(size)
        }
        return dimensions
    }
}
