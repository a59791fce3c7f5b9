internal import ProtobufWire

/// What load needs to know of a configuration as a server of gRPC sends it: a message `ModelConfig`, of which only
/// these fields are read. The numbers are those of `Protos/model_config.proto`.
struct ConfigurationExcerpt: Equatable {
    var maxBatchSize = 0
    var optionalInputs: Set<String> = []
    var isDecoupled = false
    var hasSequences = false

    /// What is damaged is left out, with all that stands behind it.
    init(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        try? bytes.withUnsafeBytes { bytes in
            try ProtobufFields.each(bytes[...]) { field, value in
                switch field {
                case 4: maxBatchSize = Int(truncatingIfNeeded: Int32(truncatingIfNeeded: value.number ?? 0))
                case 5:
                    guard let input = value.bytes else { return }
                    try addInput(input)
                case 13: hasSequences = true
                case 19:
                    guard let policy = value.bytes else { return }
                    try ProtobufFields.each(policy) { if $0 == 1 { isDecoupled = $1.number == 1 } }
                default: break
                }
            }
        }
    }

    private mutating func addInput(_ message: Slice<UnsafeRawBufferPointer>) throws {
        var name = ""
        var isOptional = false
        try ProtobufFields.each(message) { field, value in
            switch field {
            case 1: name = value.text ?? ""
            case 8: isOptional = value.number == 1
            default: break
            }
        }
        if isOptional { optionalInputs.insert(name) }
    }
}
