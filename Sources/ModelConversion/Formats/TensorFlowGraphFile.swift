internal import ProtobufWire
internal import Tensors

/// What of a TensorFlow frozen graph can be judged without a library: its nodes.
struct TensorFlowGraphFile {
    /// The placeholders, which are its inputs.
    private(set) var inputs: [SourceModel.Port] = []
    private(set) var nodes: Set<String> = []

    /// Reads the graph's message: its nodes are in field 1, each with its name in field 1 and its kind in field 2.
    init(_ bytes: Slice<UnsafeRawBufferPointer>) throws {
        try ProtobufFields.each(bytes) { number, value in
            guard number == 1, let node = value.bytes else { return }
            var name = ""
            var operation = ""
            try ProtobufFields.each(node) { number, value in
                if number == 1 { name = value.text ?? "" }
                if number == 2 { operation = value.text ?? "" }
            }
            nodes.insert(name)
            if operation == "Placeholder" { inputs.append(SourceModel.Port(name: name, dimensions: nil)) }
        }
    }
}
