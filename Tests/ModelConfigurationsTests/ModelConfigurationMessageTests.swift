import Foundation
import KServeMessages
import SwiftProtobuf
import Tensors
import Testing

@testable import ModelConfigurations

@Suite("Configurations as protobuf messages")
struct ModelConfigurationMessageTests {
    private typealias Descriptor = Google_Protobuf_DescriptorProto

    private static let file = Result {
        let text = modelConfigDescriptor.filter { !$0.isWhitespace }
        return try Google_Protobuf_FileDescriptorProto(serializedBytes: try #require(Data(base64Encoded: text)))
    }

    /// Messages by their path in the file.
    private static func messages(_ descriptors: [Descriptor], in path: String = "") -> [(String, Descriptor)] {
        descriptors.filter { !$0.options.mapEntry }.flatMap { message in
            [(path + message.name, message)] + messages(message.nestedType, in: "\(path)\(message.name).")
        }
    }

    private static func kind(_ field: Google_Protobuf_FieldDescriptorProto) -> String {
        let name = field.typeName.hasPrefix(".inference.") ? field.typeName.dropFirst(".inference.".count) : ""
        return switch field.type {
        case .string: "string"
        case .bool: "bool"
        case .int32: "int32"
        case .int64: "int64"
        case .uint32: "uint32"
        case .uint64: "uint64"
        case .float: "float"
        case .double: "double"
        case .enum: "enumeration(\"\(name)\")"
        case .message: "message(\"\(name)\")"
        default: "\(field.type)"
        }
    }

    private static func line(_ field: Google_Protobuf_FieldDescriptorProto, of message: Descriptor) -> String {
        let oneof = field.hasOneofIndex ? " in \(message.oneofDecl[Int(field.oneofIndex)].name)" : ""
        let entry = message.nestedType.first {
            $0.options.mapEntry && field.typeName.hasSuffix(".\(message.name).\($0.name)")
        }
        if let entry, let key = entry.field.first, let value = entry.field.last {
            return "\(field.number) \(field.name) map \(kind(key)) \(kind(value))\(oneof)"
        }
        return "\(field.number) \(field.name) \(field.label == .repeated ? "repeated " : "")\(kind(field))\(oneof)"
    }

    private static func line(_ field: ConfigurationSchema.Field) -> String {
        let oneof = field.oneof.map { " in \($0)" } ?? ""
        return switch field.cardinality {
        case .singular: "\(field.number) \(field.name) \(field.kind)\(oneof)"
        case .repeated: "\(field.number) \(field.name) repeated \(field.kind)\(oneof)"
        case .map(let key): "\(field.number) \(field.name) map \(key) \(field.kind)\(oneof)"
        }
    }

    @Test("The schema has every message, field and name of the protocol's descriptor, and nothing else")
    func schema() throws {
        let file = try Self.file.get()
        let messages = Self.messages(file.messageType)
        #expect(messages.map(\.0).sorted() == ConfigurationSchema.messages.keys.sorted())
        for (path, message) in messages {
            #expect(
                ConfigurationSchema.fields(of: path).map(Self.line).sorted()
                    == message.field.map { Self.line($0, of: message) }.sorted(), "\(path)")
        }
        let enumerations =
            file.enumType.map { ($0.name, $0) }
            + messages.flatMap { path, message in message.enumType.map { ("\(path).\($0.name)", $0) } }
        #expect(enumerations.map(\.0).sorted() == ConfigurationSchema.enumerations.keys.sorted())
        for (path, enumeration) in enumerations {
            #expect(ConfigurationSchema.enumerations[path] == enumeration.value.map(\.name), "\(path)")
            #expect(enumeration.value.map { Int($0.number) } == Array(enumeration.value.indices), "\(path)")
        }
    }

    @Test("Values, lists, maps, choices and defaults are written as protobuf has them")
    func values() throws {
        var configuration = ModelConfiguration(name: "m")
        configuration.maxBatchSize = 300
        configuration.inputs = [TensorConfiguration(name: "I", elementType: .fp32, dimensions: [-1, 3])]
        configuration.parameters = ["a": "b"]
        configuration.firstResponseBuckets = [0.5]
        configuration.warmUps = []
        let bytes = configuration.protobuf
        func contains(_ part: [UInt8]) -> Bool {
            bytes.indices.contains { bytes[$0...].starts(with: part) }
        }
        #expect(bytes.starts(with: [0x0A, 1, 0x6D]), "name")
        #expect(contains([0x20, 0xAC, 0x02]), "max_batch_size")
        let minusOne = [UInt8](repeating: 0xFF, count: 9) + [0x01]
        #expect(contains([0x0A, 1, 0x49, 0x10, 11, 0x22, 11] + minusOne + [3]), "an input without its default format")
        #expect(contains([0x0A, 1, 0x61, 0x12, 3, 0x0A, 1, 0x62]), "a parameter: key, and a message with its text")
        #expect(contains([0x0A, 8, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F]), "packed doubles")
        // Of a choice, also the default is written.
        configuration.versionPolicy = .all
        #expect(configuration.protobuf.count < bytes.count + 8)
        #expect(
            configuration.protobuf.indices.contains { configuration.protobuf[$0...].starts(with: [0x1A, 2, 0x12, 0]) })
    }
}
