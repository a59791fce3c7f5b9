internal import Tensors

/// The places outside of its own file that an ONNX model names: weights in any of its graphs, at any depth, in its
/// functions and in what trains it; and what was compiled from a part of it.
package struct ONNXWeights {
    package private(set) var locations: [WeightsLocation] = []

    /// Graphs within graphs that are looked into.
    private static let maximumDepth = 64

    private typealias Bytes = Slice<UnsafeRawBufferPointer>

    /// Reads the model's message. A field that may stand there once counts as often as it does.
    ///
    /// - Throws: `ProtobufFields.Damage`; `invalidArgument` for graphs that are nested too deeply, and for a place that is
    ///   named in two ways.
    package init(_ bytes: Slice<UnsafeRawBufferPointer>) throws {
        try ProtobufFields.each(bytes) { number, value in
            guard let bytes = value.bytes else { return }
            switch number {
            case 7: try readGraph(bytes, depth: 0)
            case 20: try readTraining(bytes)
            case 25: try readFunction(bytes)
            default: break
            }
        }
    }

    private mutating func readTraining(_ bytes: Bytes) throws {
        try ProtobufFields.each(bytes) { number, value in
            if number <= 2, let graph = value.bytes { try readGraph(graph, depth: 1) }
        }
    }

    private mutating func readFunction(_ bytes: Bytes) throws {
        try ProtobufFields.each(bytes) { number, value in
            guard let bytes = value.bytes else { return }
            if number == 7 { try readNode(bytes, depth: 1) }
            if number == 11 { _ = try readAttribute(bytes, depth: 1) }
        }
    }

    private mutating func readGraph(_ bytes: Bytes, depth: Int) throws {
        guard depth < Self.maximumDepth else {
            throw HalcyonError(
                .invalidArgument, "its graphs are nested over \(Self.maximumDepth) deep, which is the limit")
        }
        try ProtobufFields.each(bytes) { number, value in
            guard let bytes = value.bytes else { return }
            switch number {
            case 1: try readNode(bytes, depth: depth)
            case 5: try readTensor(bytes)
            case 15: try readSparseTensor(bytes)
            default: break
            }
        }
    }

    private mutating func readNode(_ bytes: Bytes, depth: Int) throws {
        var name = ""
        var type = ""
        var attributes: [Attribute] = []
        try ProtobufFields.each(bytes) { number, value in
            switch number {
            case 3: name = value.text ?? ""
            case 4: type = value.text ?? ""
            case 5: if let bytes = value.bytes { attributes.append(try readAttribute(bytes, depth: depth)) }
            default: break
            }
        }
        // What another program compiled lies in a file where the node does not hold it itself.
        guard type == "EPContext", attributes.contains(where: { $0.name == "embed_mode" && $0.number == 0 }) else {
            return
        }
        for attribute in attributes where attribute.name == "ep_cache_context" && !attribute.text.isEmpty {
            locations.append(WeightsLocation(tensor: name.isEmpty ? type : name, name: attribute.text))
        }
    }

    private struct Attribute {
        var name = ""
        var number: UInt64?
        var text = ""
    }

    private mutating func readAttribute(_ bytes: Bytes, depth: Int) throws -> Attribute {
        var attribute = Attribute()
        try ProtobufFields.each(bytes) { number, value in
            if number == 3 { attribute.number = value.number }
            guard let bytes = value.bytes else { return }
            switch number {
            case 1: attribute.name = value.text ?? ""
            // Of a text so long, no file's name is made.
            case 4: attribute.text = bytes.count <= 1 << 16 ? value.text ?? "" : ""
            case 5, 10: try readTensor(bytes)
            case 6, 11: try readGraph(bytes, depth: depth + 1)
            case 22, 23: try readSparseTensor(bytes)
            default: break
            }
        }
        return attribute
    }

    /// Its values and their places.
    private mutating func readSparseTensor(_ bytes: Bytes) throws {
        try ProtobufFields.each(bytes) { number, value in
            if number <= 2, let bytes = value.bytes { try readTensor(bytes) }
        }
    }

    private mutating func readTensor(_ bytes: Bytes) throws {
        var name = ""
        var entries: [String: String] = [:]
        var repeated: String?
        try ProtobufFields.each(bytes) { number, value in
            guard let bytes = value.bytes else { return }
            if number == 8 { name = value.text ?? "" }
            guard number == 13 else { return }
            var key = ""
            var text = ""
            try ProtobufFields.each(bytes) { number, value in
                if number == 1 { key = value.text ?? "" }
                if number == 2 { text = value.text ?? "" }
            }
            if entries.updateValue(text, forKey: key) != nil { repeated = key }
        }
        guard let location = entries["location"] else { return }
        if let repeated {
            throw HalcyonError(.invalidArgument, "its weights '\(name)' have two values for '\(repeated)'")
        }
        var place = WeightsLocation(tensor: name, name: location)
        if let offset = entries["offset"] { place.offset = try Self.number(offset, "offset", name) }
        if let length = entries["length"] { place.byteCount = try Self.number(length, "length", name) }
        locations.append(place)
    }

    private static func number(_ text: String, _ what: String, _ tensor: String) throws(HalcyonError) -> UInt64 {
        guard let number = UInt64(text) else {
            throw HalcyonError(
                .invalidArgument,
                "its weights '\(tensor)' have the \(what) '\(WeightsLocation.shortened(text))', expected a number of bytes"
            )
        }
        return number
    }
}
