internal import ProtobufWire
internal import Tensors

/// What an ONNX model's file consists of, part by part in the file's order: those of its graphs at any depth, of its
/// functions and of what trains it. A field that may stand there once counts as often as it does.
package struct ONNXParts {
    package typealias Bytes = Slice<UnsafeRawBufferPointer>

    package enum Part {
        /// A tensor that lies in the file, or says where it lies.
        ///
        /// - Parameter isOfMainGraph: whether it is one of the main graph's own weights.
        case tensor(Tensor, isOfMainGraph: Bool)
        /// - Parameter isOfMainGraph: whether it is none of a graph inside another, of a function or of a training.
        case node(Node, isOfMainGraph: Bool)
        /// The main graph's, as the message of its name and type.
        case input(Bytes)
        case output(Bytes)
    }

    package struct Tensor {
        package var name = ""
        /// Where its data lie if not in the file: keys and values, in the order of the file.
        package var place: [(key: String, value: String)] = []
        private let bytes: Bytes

        fileprivate init(_ bytes: Bytes) throws {
            self.bytes = bytes
            try ProtobufFields.each(bytes) { field, value in
                if field == 8 { name = value.text ?? name }
                guard field == 13, let entry = value.bytes else { return }
                var (key, text) = ("", "")
                try ProtobufFields.each(entry) { field, value in
                    if field == 1 { key = value.text ?? "" }
                    if field == 2 { text = value.text ?? "" }
                }
                place.append((key, text))
            }
        }

        /// Its sizes, as numbers without a sign.
        package func dimensions() throws -> [UInt64] {
            var dimensions: [UInt64] = []
            try ProtobufFields.each(bytes) { field, value in
                guard field == 1 else { return }
                if let one = value.number { dimensions.append(one) }
                guard let many = value.bytes else { return }
                var packed = ProtobufFields(many)
                while !packed.isAtEnd { dimensions.append(try packed.varint()) }
            }
            return dimensions
        }
    }

    package struct Node {
        package var name = ""
        package var type = ""
        package var outputs: [String] = []
        package var attributes: [Attribute] = []
    }

    /// What a node is told beside its inputs, where that is one number or a text.
    package struct Attribute {
        package var name = ""
        package var number: UInt64?
        package var text = ""
    }

    /// Calls with each part of the model's message.
    ///
    /// - Throws: what `visit` throws; `ProtobufFields.Damage`; `invalidArgument` for graphs that are nested too deeply.
    package static func each(_ model: Bytes, _ visit: @escaping (Part) throws -> Void) throws {
        let parts = ONNXParts(visit: visit)
        try ProtobufFields.each(model) { field, value in
            guard let bytes = value.bytes else { return }
            switch field {
            case 7: try parts.graph(bytes, depth: 0)
            case 20: try parts.training(bytes)
            case 25: try parts.function(bytes)
            default: break
            }
        }
    }

    /// Graphs within graphs that are looked into.
    private static let maximumDepth = 64

    private let visit: (Part) throws -> Void

    private func training(_ bytes: Bytes) throws {
        try ProtobufFields.each(bytes) { field, value in
            if field <= 2, let bytes = value.bytes { try graph(bytes, depth: 1) }
        }
    }

    private func function(_ bytes: Bytes) throws {
        try ProtobufFields.each(bytes) { field, value in
            guard let bytes = value.bytes else { return }
            if field == 7 { try node(bytes, depth: 1) }
            if field == 11 { _ = try attribute(bytes, depth: 1) }
        }
    }

    private func graph(_ bytes: Bytes, depth: Int) throws {
        guard depth < Self.maximumDepth else {
            throw HalcyonError(
                .invalidArgument, "its graphs are nested over \(Self.maximumDepth) deep, which is the limit")
        }
        try ProtobufFields.each(bytes) { field, value in
            guard let bytes = value.bytes else { return }
            switch field {
            case 1: try node(bytes, depth: depth)
            case 5: try visit(.tensor(Tensor(bytes), isOfMainGraph: depth == 0))
            case 11 where depth == 0: try visit(.input(bytes))
            case 12 where depth == 0: try visit(.output(bytes))
            case 15: try sparseTensor(bytes)
            default: break
            }
        }
    }

    private func node(_ bytes: Bytes, depth: Int) throws {
        var node = Node()
        try ProtobufFields.each(bytes) { field, value in
            guard let bytes = value.bytes else { return }
            switch field {
            case 2: node.outputs.append(value.text ?? "")
            case 3: node.name = value.text ?? ""
            case 4: node.type = value.text ?? ""
            case 5: node.attributes.append(try attribute(bytes, depth: depth))
            default: break
            }
        }
        try visit(.node(node, isOfMainGraph: depth == 0))
    }

    private func attribute(_ bytes: Bytes, depth: Int) throws -> Attribute {
        var attribute = Attribute()
        try ProtobufFields.each(bytes) { field, value in
            if field == 3 { attribute.number = value.number }
            guard let bytes = value.bytes else { return }
            switch field {
            case 1: attribute.name = value.text ?? ""
            // Of a text so long, no file's name is made.
            case 4: attribute.text = bytes.count <= 1 << 16 ? value.text ?? "" : ""
            case 5, 10: try visit(.tensor(Tensor(bytes), isOfMainGraph: false))
            case 6, 11: try graph(bytes, depth: depth + 1)
            case 22, 23: try sparseTensor(bytes)
            default: break
            }
        }
        return attribute
    }

    /// Its values and their places.
    private func sparseTensor(_ bytes: Bytes) throws {
        try ProtobufFields.each(bytes) { field, value in
            if field <= 2, let bytes = value.bytes { try visit(.tensor(Tensor(bytes), isOfMainGraph: false)) }
        }
    }
}
