internal import ModelFiles
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
    private var initializers: Set<String> = []

    /// Subgraphs within subgraphs that are looked into.
    private static let maximumDepth = 64

    /// Reads the model's message.
    init(_ bytes: Slice<UnsafeRawBufferPointer>) throws {
        var graph: Slice<UnsafeRawBufferPointer>?
        var functions: [Slice<UnsafeRawBufferPointer>] = []
        try ProtobufFields.each(bytes) { number, value in
            switch number {
            case 7: graph = value.bytes
            case 25: if let bytes = value.bytes { functions.append(bytes) }
            default: break
            }
        }
        if let graph { try readGraph(graph, depth: 0) }
        for function in functions {
            try ProtobufFields.each(function) { number, value in
                if number == 7, let bytes = value.bytes { try readNode(bytes, depth: 1) }
            }
        }
        inputs.removeAll { initializers.contains($0.name) }
    }

    private mutating func readGraph(_ bytes: Slice<UnsafeRawBufferPointer>, depth: Int) throws {
        guard depth < Self.maximumDepth else {
            throw HalcyonError(
                .invalidArgument, "its graphs are nested over \(Self.maximumDepth) deep, which is the limit")
        }
        try ProtobufFields.each(bytes) { number, value in
            guard let bytes = value.bytes else { return }
            switch number {
            case 1: try readNode(bytes, depth: depth)
            case 5:
                let name = try readTensor(bytes)
                if depth == 0 { initializers.insert(name) }
            case 11: if depth == 0 { inputs.append(try Self.port(bytes)) }
            case 12: if depth == 0 { outputs.append(try Self.port(bytes)) }
            // A sparse tensor: its values and their places.
            case 15:
                try ProtobufFields.each(bytes) { number, value in
                    if number <= 2, let bytes = value.bytes { _ = try readTensor(bytes) }
                }
            default: break
            }
        }
    }

    private mutating func readNode(_ bytes: Slice<UnsafeRawBufferPointer>, depth: Int) throws {
        try ProtobufFields.each(bytes) { number, value in
            if number == 2, depth == 0, let name = value.text { tensors.insert(name) }
            guard number == 5, let attribute = value.bytes else { return }
            try ProtobufFields.each(attribute) { number, value in
                guard let bytes = value.bytes else { return }
                switch number {
                case 5, 10: _ = try readTensor(bytes)
                case 6, 11: try readGraph(bytes, depth: depth + 1)
                default: break
                }
            }
        }
    }

    /// Looks at a tensor's sizes and where its data lie, and returns its name.
    private mutating func readTensor(_ bytes: Slice<UnsafeRawBufferPointer>) throws -> String {
        var name = ""
        var dimensions: [UInt64] = []
        var location: String?
        try ProtobufFields.each(bytes) { number, value in
            switch number {
            case 1:
                if let one = value.number { dimensions.append(one) }
                if let many = value.bytes { dimensions += try Self.varints(many) }
            case 8: name = value.text ?? ""
            case 13:
                guard let entry = value.bytes else { return }
                var key = ""
                var text = ""
                try ProtobufFields.each(entry) { number, value in
                    if number == 1 { key = value.text ?? "" }
                    if number == 2 { text = value.text ?? "" }
                }
                if key == "location" { location = text }
            default: break
            }
        }
        try Self.checkSize(dimensions, of: "its weights '\(name)'")
        if let location {
            try WeightsLocation(tensor: name, name: location).checkName()
            externalFiles.insert(location)
        }
        return name
    }

    private static func varints(_ bytes: Slice<UnsafeRawBufferPointer>) throws -> [UInt64] {
        var values: [UInt64] = []
        var value: UInt64 = 0
        var shift: UInt64 = 0
        for byte in bytes {
            guard shift < 64 else { throw ProtobufFields.Damage.malformed(offset: bytes.startIndex) }
            value |= UInt64(byte & 0x7F) << shift
            shift += 7
            if byte & 0x80 == 0 {
                values.append(value)
                value = 0
                shift = 0
            }
        }
        return values
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
            var size = Shape.variable
            try ProtobufFields.each(dimension) { number, value in
                guard number == 1, let value = value.number else { return }
                let signed = Int64(bitPattern: value)
                size = signed < 0 ? Shape.variable : Int(signed)
            }
            dimensions.append(size)
        }
        return dimensions
    }
}
