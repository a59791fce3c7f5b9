import Foundation
import Halcyon
import KServeMessages
import KServeProtocol
import SwiftProtobuf
import Tensors
import Testing

/// What one request may ask for, over both wires: each count and each length, checked before anything is made of it.
@Suite("Limits of a request")
struct RequestLimitTests {
    private func json(_ text: String, budget: ByteBudget = .unlimited) -> String {
        do {
            let reader = InferenceJSONReader(
                limits: ProtocolLimits(), memory: SharedMemory(isAllowed: true), budget: budget)
            _ = try reader.read(
                TensorBuffer(copying: Array(text.utf8)), jsonByteCount: text.utf8.count, model: "m", version: nil)
            return "no error"
        } catch { return error.message }
    }

    private func protobuf(
        budget: ByteBudget = .unlimited, _ fill: (inout Inference_ModelInferRequest) -> Void
    ) throws -> String {
        let bytes: [UInt8] = try Inference_ModelInferRequest.with(fill).serializedBytes()
        let reader = InferenceProtobufReader(
            limits: ProtocolLimits(), memory: SharedMemory(isAllowed: true), budget: budget)
        do {
            _ = try reader.call(try reader.read(TensorBuffer(copying: bytes)))
            return "no error"
        } catch { return HalcyonError(wrapping: error).message }
    }

    private func input(name: String = "x", type: String = "FP32", shape: String = "[1]", data: String = "[1]") -> String
    {
        #"{"inputs":[{"name":"\#(name)","datatype":"\#(type)","shape":\#(shape),"data":\#(data)}]}"#
    }

    private static let long = String(repeating: "y", count: ProtocolLimits.textLength + 1)

    @Test("Dimensions")
    func rank() throws {
        let ones = { (count: Int) in "[" + Array(repeating: "1", count: count).joined(separator: ",") + "]" }
        #expect(json(input(shape: ones(64))) == "no error")
        #expect(json(input(shape: ones(65))) == "a shape of 'x' may have at most 64 dimensions")
        // The shape may stand before the name.
        #expect(json(#"{"inputs":[{"shape":\#(ones(65))}]}"#) == "a shape may have at most 64 dimensions")
        let message = try protobuf {
            $0.inputs = [
                .with {
                    $0.name = "x"
                    $0.datatype = "FP32"
                    $0.shape = Array(repeating: 1, count: 65)
                }
            ]
        }
        #expect(message == "a shape of 'x' may have at most 64 dimensions")
    }

    @Test(
        "Texts: names, types, ids, keys",
        arguments: [
            #"{"id":"@","inputs":[]}"#, #"{"@":1,"inputs":[]}"#, #"{"inputs":[],"parameters":{"sequence_id":"@"}}"#,
            #"{"inputs":[{"name":"@"}]}"#, #"{"inputs":[{"datatype":"@"}]}"#,
            #"{"inputs":[],"outputs":[{"name":"@"}]}"#,
            #"{"inputs":[{"@":1}]}"#, #"{"inputs":[],"parameters":{"@":1}}"#,
        ])
    func texts(document: String) {
        let message = json(document.replacingOccurrences(of: "@", with: Self.long))
        #expect(message.contains("4096"))
        #expect(!message.contains(String(repeating: "t", count: 201)))
        #expect(message.utf8.count < 400)
        let escaped = String(repeating: "\\u0079", count: ProtocolLimits.textLength + 1)
        #expect(json(document.replacingOccurrences(of: "@", with: escaped)).contains("4096"))
    }

    @Test("The same in protobuf")
    func protobufTexts() throws {
        let long = Self.long
        let fills: [(inout Inference_ModelInferRequest) -> Void] = [
            { $0.modelName = long }, { $0.modelVersion = long }, { $0.id = long },
            { $0.parameters[long] = .with { $0.boolParam = true } },
            { $0.parameters["sequence_id"] = .with { $0.stringParam = long } },
            { $0.inputs = [.with { $0.name = long }] }, { $0.inputs = [.with { $0.datatype = long }] },
            { $0.outputs = [.with { $0.name = long }] },
            { $0.parameters["p"] = .with { $0.stringParam = String(repeating: "z", count: 65_537) } },
        ]
        for fill in fills {
            let message = try protobuf(fill)
            #expect(message.contains("may have at most"))
            #expect(message.utf8.count < 300)
        }
    }

    @Test("Parameters")
    func parameters() throws {
        let many = (0..<1025).map { #""p\#($0)":1"# }.joined(separator: ",")
        let expected = "there may be at most 1024 parameters in one place"
        #expect(json(#"{"inputs":[],"parameters":{\#(many)}}"#) == expected)
        #expect(json(#"{"inputs":[{"name":"x","parameters":{\#(many)}}]}"#) == expected)
        let entries = Dictionary(uniqueKeysWithValues: (0..<1025).map { ("p\($0)", Inference_InferParameter()) })
        #expect(try protobuf { $0.parameters = entries } == expected)
        #expect(try protobuf { $0.inputs = [.with { $0.parameters = entries }] } == expected)
        #expect(try protobuf { $0.outputs = [.with { $0.parameters = entries }] } == expected)
    }

    @Test("Numbers")
    func numbers() {
        let digits = String(repeating: "1", count: 1025)
        #expect(json(input(data: "[\(digits)]")).contains("a number is over 1024 characters"))
        #expect(json(input(data: "[0.\(digits.dropLast(3))]")) == "no error")
    }

    @Test("A quoted value is cut")
    func quoted() {
        let message = json(input(name: "n", type: String(repeating: "t", count: 4000)))
        #expect(message.hasPrefix("invalid datatype 'ttt"))
        #expect(message.utf8.count < 300)
    }

    @Test("Tensors that are made of text count against the budget")
    func budget() throws {
        let budget = ByteBudget(maximum: 100)
        let zeros = "[" + Array(repeating: "0", count: 20).joined(separator: ",") + "]"
        #expect(json(input(type: "FP64", shape: "[20]", data: zeros), budget: budget).contains("max-inflight-bytes"))
        #expect(json(input(type: "FP32", shape: "[20]", data: zeros), budget: budget) == "no error")
        let texts = "[" + Array(repeating: "\"12345\"", count: 20).joined(separator: ",") + "]"
        #expect(json(input(type: "BYTES", shape: "[20]", data: texts), budget: budget).contains("max-inflight-bytes"))
        let message = try protobuf(budget: budget) {
            $0.inputs = [
                .with {
                    $0.name = "x"
                    $0.datatype = "UINT64"
                    $0.shape = [20]
                    $0.contents.uint64Contents = Array(repeating: 1, count: 20)
                }
            ]
        }
        #expect(message.contains("max-inflight-bytes"))
        #expect(budget.usedBytes == 0)
    }

    @Test("Classes of all items together")
    func classes() throws {
        var limits = ProtocolLimits()
        limits.classes = 5
        let tensor = try Tensor(name: "O", shape: [2, 3], [1, 2, 3, 4, 5, 6] as [Float])
        let response = InferenceResponse(modelName: "m", modelVersion: 1, id: "", outputs: [tensor])
        func result(_ count: Int) throws -> InferenceResult {
            var output = RequestedOutput(name: "O")
            output.classCount = count
            var call = InferenceCall(request: InferenceRequest(modelName: "m", inputs: []), outputs: [output])
            call.form.hasBatchDimension = true
            return try InferenceResult(
                response, for: call.form, limits: limits, memory: SharedMemory(isAllowed: false))
        }
        #expect(try result(2).outputs[0].tensor.shape == [2, 2])
        let error = #expect(throws: HalcyonError.self) { try result(Int.max) }
        #expect(error?.code == .invalidArgument)
    }

    @Test("The first of many are those that sorting all would bring", arguments: [0, 1, 3, 99, 100, 1000])
    func selection(count: Int) throws {
        var random = SystemRandomNumberGenerator()
        let values = (0..<100).map { _ in Int32.random(in: 0...20, using: &random) }
        let tensor = try Tensor(name: "O", shape: [100], values)
        var output = RequestedOutput(name: "O")
        output.classCount = count
        let call = InferenceCall(request: InferenceRequest(modelName: "m", inputs: []), outputs: [output])
        let result = try InferenceResult(
            InferenceResponse(modelName: "m", modelVersion: 1, id: "", outputs: [tensor]), for: call.form,
            memory: SharedMemory(isAllowed: false))
        let json = String(decoding: try InferenceJSONWriter(result).json, as: UTF8.self)
        let expected = (0..<100).sorted { (-values[$0], $0) < (-values[$1], $1) }.prefix(count)
        for index in expected where count > 0 { #expect(json.contains("\"\(values[index]):\(index)\"")) }
        #expect(result.outputs[0].tensor.shape.dimensions == [min(100, max(count, count == 0 ? 100 : 0))])
    }

    @Test("A raw binary request is answered in binary")
    func raw() throws {
        let model = ModelInterface(
            name: "m", version: 1, inputs: [.init(name: "IN", elementType: .fp32, dimensions: [-1])], maxBatchSize: 0)
        let call = try RawBinaryRequest.read(TensorBuffer(copying: [1, 2] as [Float]), for: model)
        #expect(call.form.prefersBinary)
    }

    @Test("generate counts its values first, and takes a single one for a list")
    func generate() throws {
        let model = ModelInterface(
            name: "m", version: 1,
            inputs: [
                .init(name: "IN", elementType: .fp32, dimensions: [-1]),
                .init(name: "TEXT", elementType: .bytes, dimensions: [1]),
            ], maxBatchSize: 0)
        func read(_ text: String) throws -> InferenceCall {
            try GenerateRequest.read(
                TensorBuffer(copying: Array(text.utf8)), for: model, limits: ProtocolLimits(), budget: .unlimited)
        }
        let call = try read(#"{"IN": [1, 2, 3], "TEXT": "a\n", "id": 7}"#)
        #expect(call.request.inputs.map(\.shape) == [[3], [1]])
        #expect(call.request.inputs[1].data.withUnsafeBytes { Array($0) } == [2, 0, 0, 0, 97, 10])
        #expect(call.request.id == "7")
        #expect(try read(#"{"IN": 4}"#).request.inputs[0].shape == [1])
        #expect(throws: HalcyonError.self) { try read(#"{"TEXT": ["a", "b"]}"#) }
        #expect(throws: HalcyonError.self) { try read(#"{"other": \#(String(repeating: "[", count: 100))}"#) }
    }
}
