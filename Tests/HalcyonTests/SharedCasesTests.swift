import Foundation
import Halcyon
import HalcyonTestKit
import Testing

/// The cases of `Tests/Cases`, asked of the library; `Tests/Conformance` asks the server the same over HTTP and gRPC.
@Suite("Shared cases")
struct SharedCasesTests {
    struct Document: Decodable {
        struct Model: Decodable {
            var types: [String]
            var dims: String
            var max_batch_size: Int
        }

        var models: [String: Model]
        var cases: [Case]
    }

    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var model: String
        var version: Int64?
        var id: String?
        var inputs: [Input]
        var requested: [String]?
        /// Outputs, and the inputs that they equal.
        var outputs: [String: String]?
        var error: String?
        var code: String?

        var testDescription: String { name }
    }

    struct Input: Decodable {
        var name: String
        var datatype: String
        var shape: [Int]
        var values: [Value]
    }

    /// A number, a truth value or a text, as the type of its tensor has it.
    struct Value: Decodable {
        var bytes: @Sendable (ElementType) throws -> [UInt8]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                bytes = { _ in Value.raw(UInt32(text.utf8.count)) + Array(text.utf8) }
            } else if let flag = try? container.decode(Bool.self) {
                bytes = { _ in [flag ? 1 : 0] }
            } else if let unsigned = try? container.decode(UInt64.self) {
                bytes = { try Value.number($0, Double(unsigned), unsigned) }
            } else if let signed = try? container.decode(Int64.self) {
                bytes = { try Value.number($0, Double(signed), UInt64(bitPattern: signed)) }
            } else {
                let number = try container.decode(Double.self)
                bytes = { try Value.number($0, number, 0) }
            }
        }

        private static func number(_ type: ElementType, _ number: Double, _ bits: UInt64) throws -> [UInt8] {
            switch type {
            case .fp64: raw(number)
            case .fp32: raw(Float(number))
            // The values of the cases are exact in either, so that cutting them off is rounding.
            case .bf16: raw(UInt16(Float(number).bitPattern >> 16))
            case .fp16: raw(Float16(number))
            default: Array(raw(bits).prefix(try #require(type.byteSize)))
            }
        }

        private static func raw<Element>(_ value: Element) -> [UInt8] {
            withUnsafeBytes(of: value) { Array($0) }
        }
    }

    private static let document: Document? = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Cases/inference.json")
        return try? JSONDecoder().decode(Document.self, from: Data(contentsOf: file))
    }()

    @Test("They hold in process")
    func hold() async throws {
        let document = try #require(Self.document)
        let repository = try TemporaryRepository()
        for (name, model) in document.models { try repository.add(name, configuration: Self.configuration(model)) }
        let server = try InferenceServer(ServerOptions(repositoryPaths: [repository.path]))
        try await server.waitUntilReady()
        for each in document.cases { try await check(each, server) }
        await server.shutdown()
    }

    private static func configuration(_ model: Document.Model) -> String {
        let tensors = { (name: String) in
            model.types.enumerated().map { index, type in
                "{ name: \"\(name)\(index)\" data_type: TYPE_\(type) dims: [ \(model.dims) ] }"
            }.joined(separator: ", ")
        }
        return """
            backend: "identity"
            max_batch_size: \(model.max_batch_size)
            input [ \(tensors("INPUT")) ]
            output [ \(tensors("OUTPUT")) ]
            """
    }

    private func check(_ each: Case, _ server: InferenceServer) async throws {
        let inputs = try each.inputs.map { input in
            let type = try #require(ElementType(rawValue: input.datatype))
            return try Tensor(
                name: input.name, elementType: type, shape: TensorShape(input.shape),
                data: TensorBuffer(copying: try input.values.flatMap { try $0.bytes(type) }))
        }
        let request = InferenceRequest(
            modelName: each.model, modelVersion: each.version, id: each.id ?? "", inputs: inputs,
            requestedOutputs: each.requested ?? [])
        do {
            let response = try await server.infer(request)
            let expected = try #require(each.outputs, "\(each.name): there is an answer")
            #expect(Set(response.outputs.map(\.name)) == Set(expected.keys), "\(each.name)")
            #expect(response.id == each.id ?? "", "\(each.name)")
            for (output, source) in expected {
                let input = try #require(inputs.first { $0.name == source })
                let actual = try response.output(output)
                #expect(actual.shape == input.shape, "\(each.name)")
                let bytes = { (tensor: Tensor) in tensor.data.withUnsafeBytes { Array($0) } }
                #expect(bytes(actual) == bytes(input), "\(each.name)")
            }
        } catch let error as HalcyonError {
            #expect(
                error.message.contains(try #require(each.error, "\(each.name): \(error)")), "\(each.name): \(error)")
            #expect(error.code == (each.code == "NOT_FOUND" ? .notFound : .invalidArgument), "\(each.name)")
        }
    }
}
