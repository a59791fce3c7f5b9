internal import ModelConfigurations
package import Tensors

/// What a worker says to the server: answers, and lines for its log at any time.
package enum ControlAnswer: Sendable {
    /// What a model says of itself.
    package struct Traits: Hashable, Sendable {
        var signature: ModelSignature?
        var fixedBatchSize: Int?
        var takesEmptyTensors = true
        var outputsLikeInputs: [String: String] = [:]
        var properties: [Property] = []

        struct Property: Hashable, Sendable {
            var name: String
            var value: String
        }
    }

    /// A line of the log.
    package struct Line: Hashable, Sendable {
        var level: String
        var message: String
        var metadata: [String: String]
    }

    /// To a greeting: what of the sandbox could not be had.
    case welcome(lacking: [String])
    case model(Traits)
    /// An instance is made; whether its model may give any number of responses.
    case made(isDecoupled: Bool)
    /// Whether the model will do as it is prepared.
    case judged(Bool)
    case failed(HalcyonError)
    case log(Line)

    package func frame() throws(HalcyonError) -> [UInt8] {
        var writer = WireWriter()
        switch self {
        case .welcome(let lacking):
            writer.number(UInt8(1))
            writer.list(lacking) { $0.text($1) }
        case .model(let traits):
            writer.number(UInt8(2))
            writer.optional(traits.signature) { writer, signature in
                writer.list(signature.inputs, Self.write)
                writer.list(signature.outputs, Self.write)
            }
            writer.optional(traits.fixedBatchSize) { $0.number(UInt32(clamping: $1)) }
            writer.flag(traits.takesEmptyTensors)
            writer.table(traits.outputsLikeInputs)
            writer.list(traits.properties) { writer, property in
                writer.text(property.name)
                writer.text(property.value)
            }
        case .made(let isDecoupled):
            writer.number(UInt8(3))
            writer.flag(isDecoupled)
        case .failed(let error):
            writer.number(UInt8(4))
            writer.error(error)
        case .log(let line):
            writer.number(UInt8(5))
            writer.text(line.level)
            writer.text(line.message)
            writer.table(line.metadata)
        case .judged(let isPrepared):
            writer.number(UInt8(6))
            writer.flag(isPrepared)
        }
        return try writer.frame()
    }

    package init(_ body: TensorBuffer) throws(ProtocolFault) {
        var reader = WireReader(body)
        switch try reader.number(UInt8.self) {
        case 1: self = .welcome(lacking: try reader.list { reader throws(ProtocolFault) in try reader.text() })
        case 2: self = .model(try Self.traits(&reader))
        case 3: self = .made(isDecoupled: try reader.flag())
        case 4: self = .failed(try reader.error())
        case 5:
            self = .log(Line(level: try reader.text(), message: try reader.text(), metadata: try reader.table()))
        case 6: self = .judged(try reader.flag())
        case let other: throw ProtocolFault("no answer of a worker has the number \(other)")
        }
        try reader.end()
    }

    private static func traits(_ reader: inout WireReader) throws(ProtocolFault) -> Traits {
        var traits = Traits()
        traits.signature = try reader.optional { reader throws(ProtocolFault) in
            ModelSignature(inputs: try reader.list(port), outputs: try reader.list(port))
        }
        traits.fixedBatchSize = try reader.optional { reader throws(ProtocolFault) in
            Int(try reader.number(UInt32.self))
        }
        traits.takesEmptyTensors = try reader.flag()
        traits.outputsLikeInputs = try reader.table()
        traits.properties = try reader.list { reader throws(ProtocolFault) in
            Traits.Property(name: try reader.text(), value: try reader.text())
        }
        return traits
    }

    private static func write(_ writer: inout WireWriter, _ port: ModelSignature.Port) {
        writer.text(port.name)
        writer.text(port.elementType.rawValue)
        writer.optional(port.shape) { $0.list($1.dimensions) { $0.number(Int64($1)) } }
        writer.flag(port.isOptional)
    }

    private static func port(_ reader: inout WireReader) throws(ProtocolFault) -> ModelSignature.Port {
        let name = try reader.text()
        let type = try reader.text()
        guard let known = ElementType(rawValue: type) else { throw ProtocolFault("there is no element type '\(type)'") }
        let shape = try reader.optional { reader throws(ProtocolFault) in
            TensorShape(try reader.list { reader throws(ProtocolFault) in Int(try reader.number(Int64.self)) })
        }
        return ModelSignature.Port(name: name, elementType: known, shape: shape, isOptional: try reader.flag())
    }
}
