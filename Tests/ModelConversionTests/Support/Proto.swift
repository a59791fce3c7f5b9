/// Small model files, put together field by field.
enum Proto {
    static func number(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(value & 0x7F) | (value > 0x7F ? 0x80 : 0))
            value >>= 7
        } while value > 0
        return bytes
    }

    static func varint(_ field: UInt64, _ value: UInt64) -> [UInt8] { number(field << 3) + number(value) }

    static func field(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        Self.number(number << 3 | 2) + Self.number(UInt64(bytes.count)) + bytes
    }

    static func field(_ number: UInt64, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

    // MARK: ONNX

    /// A model that makes `hidden` of its inputs, and `y` of that.
    static func model(
        inputs: [(name: String, dimensions: [Int])] = [("x", [-1, 3])], initializers: [String] = [],
        external: String? = nil
    ) -> [UInt8] {
        var graph = field(1, field(1, "x") + field(2, "hidden") + field(4, "Relu"))
        graph += field(1, field(1, "hidden") + field(2, "y") + field(4, "Relu"))
        for name in initializers { graph += field(5, tensor(name, external: nil)) }
        if let external { graph += field(5, tensor("weights", external: external)) }
        for input in inputs { graph += field(11, port(input.name, input.dimensions)) }
        graph += field(12, port("y", [-1, 3]))
        return varint(1, 8) + field(2, "test") + field(7, graph) + field(8, varint(2, 17))
    }

    static func tensor(_ name: String, external: String?) -> [UInt8] {
        var bytes = varint(1, 3) + varint(2, 1) + field(8, name)
        if let external { bytes += field(13, field(1, "location") + field(2, external)) + varint(14, 1) }
        return bytes
    }

    private static func port(_ name: String, _ dimensions: [Int]) -> [UInt8] {
        let shape = dimensions.flatMap { $0 < 0 ? field(1, field(2, "N")) : field(1, varint(1, UInt64($0))) }
        return field(1, name) + field(2, field(1, varint(1, 1) + field(2, shape)))
    }

    // MARK: Others

    /// A frozen graph of a placeholder and a node.
    static func graph() -> [UInt8] {
        field(1, field(1, "image") + field(2, "Placeholder"))
            + field(1, field(1, "boxes") + field(2, "Identity") + field(3, "image"))
    }

    /// An `.etlt` whose payload is noise.
    static func container(name: String = "input_1", payload: Int = 64) -> [UInt8] {
        let length = UInt32(name.utf8.count).littleEndian
        return withUnsafeBytes(of: length) { Array($0) } + Array(name.utf8)
            + (0..<payload).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ 0x9F) }
    }
}
