import Foundation
import Halcyon
import KServeMessages
import KServeProtocol
import SwiftProtobuf
import Tensors
import Testing

/// The reader of the inference messages against the generated code, which knows nothing of it.
@Suite("Inference requests in protobuf")
struct InferenceProtobufTests {
    private func read(_ request: Inference_ModelInferRequest) throws -> InferenceCall {
        let reader = InferenceProtobufReader(limits: ProtocolLimits(), memory: SharedMemory(isAllowed: false))
        let bytes: [UInt8] = try request.serializedBytes()
        return try reader.call(try reader.read(TensorBuffer(copying: bytes)))
    }

    private func error(_ request: Inference_ModelInferRequest) -> String {
        do {
            _ = try read(request)
            return "no error"
        } catch {
            return HalcyonError(wrapping: error).message
        }
    }

    private func request(
        _ type: String, _ shape: [Int64] = [2], _ fill: (inout Inference_InferTensorContents) -> Void
    ) -> Inference_ModelInferRequest {
        .with {
            $0.modelName = "m"
            $0.inputs = [
                .with {
                    $0.name = "IN"
                    $0.datatype = type
                    $0.shape = shape
                    fill(&$0.contents)
                }
            ]
        }
    }

    @Test("Raw contents stay what they are, with everything around them")
    func raw() throws {
        let call = try read(
            .with {
                $0.modelName = "m"
                $0.modelVersion = "3"
                $0.id = "q"
                $0.parameters["priority"] = .with { $0.uint64Param = 2 }
                $0.parameters["timeout"] = .with { $0.int64Param = 5 }
                $0.parameters["custom"] = .with { $0.doubleParam = 1 }
                $0.inputs = [
                    .with {
                        $0.name = "A"
                        $0.datatype = "FP32"
                        $0.shape = [1, -1, 2]
                    },
                    .with {
                        $0.name = "B"
                        $0.datatype = "UINT8"
                        $0.shape = [3]
                    },
                ]
                $0.outputs = [
                    .with {
                        $0.name = "O"
                        $0.parameters["classification"] = .with { $0.int64Param = 4 }
                    }
                ]
                $0.rawInputContents = [Data([1, 2, 3, 4, 5, 6, 7, 8]), Data([9, 8, 7])]
            })
        #expect(call.request.modelName == "m" && call.request.modelVersion == 3 && call.request.id == "q")
        #expect(call.request.priority == 2 && call.request.timeoutMicroseconds == 5)
        #expect(call.request.inputs.map(\.shape) == [[1, -1, 2], [3]])
        #expect(
            call.request.inputs.map { $0.data.withUnsafeBytes { Array($0) } } == [
                [1, 2, 3, 4, 5, 6, 7, 8], [9, 8, 7],
            ])
        #expect(call.form.outputs.map(\.classCount) == [4])
        #expect(Int(bitPattern: call.request.inputs[0].data.baseAddress) % 4 == 0)
    }

    @Test("Every list of elements")
    func typed() throws {
        let cases: [(Inference_ModelInferRequest, [UInt8])] = [
            (request("BOOL") { $0.boolContents = [true, false] }, [1, 0]),
            (request("INT8") { $0.intContents = [-128, 127] }, [0x80, 0x7F]),
            (request("INT16") { $0.intContents = [-1, 1] }, [0xFF, 0xFF, 1, 0]),
            (request("INT32") { $0.intContents = [-1, 1] }, [0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0]),
            (request("INT64", [1]) { $0.int64Contents = [-2] }, [0xFE] + Array(repeating: 0xFF, count: 7)),
            (request("UINT8") { $0.uintContents = [0, 255] }, [0, 255]),
            (request("UINT16") { $0.uintContents = [0, 65535] }, [0, 0, 255, 255]),
            (request("UINT32", [1]) { $0.uintContents = [.max] }, [255, 255, 255, 255]),
            (request("UINT64", [1]) { $0.uint64Contents = [.max] }, Array(repeating: 255, count: 8)),
            (request("FP32", [1]) { $0.fp32Contents = [1] }, [0, 0, 0x80, 0x3F]),
            (request("FP64", [1]) { $0.fp64Contents = [1] }, [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]),
            (request("BYTES") { $0.bytesContents = [Data([97]), Data()] }, [1, 0, 0, 0, 97, 0, 0, 0, 0]),
        ]
        for (request, expected) in cases {
            let tensor = try #require(try read(request).request.inputs.first)
            #expect(tensor.data.withUnsafeBytes { Array($0) } == expected, "\(tensor.elementType)")
        }
    }

    @Test("Faults")
    func faults() {
        #expect(error(request("INT8") { $0.intContents = [300] }).contains("the number 300, which is no INT8"))
        #expect(error(request("FP32") { $0.intContents = [1] }).contains("unexpected explicit tensor data"))
        #expect(error(request("FP16") { $0.fp32Contents = [1] }).contains("unexpected explicit tensor data"))
        #expect(error(request("INT99") { $0.intContents = [1] }).contains("invalid datatype"))
        var bare = request("INT32") { _ in }
        bare.inputs[0].clearContents()
        #expect(error(bare).contains("unable to find data for input tensor 'IN'"))
        bare.rawInputContents = [Data([1]), Data([2])]
        #expect(error(bare).contains("unexpected additional input data"))
        bare.parameters["priority"] = .with { $0.stringParam = "high" }
        #expect(error(bare) == "invalid value type for 'priority' parameter, expected int64_param or uint64_param.")
        #expect(error(.with { $0.modelVersion = "x" }).contains("version string 'x'"))
    }

    @Test("No bytes whatever end the process")
    func damage() throws {
        var generator = SystemRandomNumberGenerator()
        let whole: [UInt8] = try request("BYTES") { $0.bytesContents = [Data([97]), Data()] }.serializedBytes()
        let reader = InferenceProtobufReader(limits: ProtocolLimits(), memory: SharedMemory(isAllowed: false))
        for round in 0..<5000 {
            var bytes = whole
            for _ in 0...round % 3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(round % 5)
            _ = try? reader.call(try reader.read(TensorBuffer(copying: bytes)))
        }
    }

    @Test("A response reads back in the generated code")
    func response() throws {
        let tensor = try Tensor(name: "O", shape: [1, 2], [1.5, -2] as [Float])
        var response = InferenceResponse(modelName: "m", modelVersion: 2, id: "q", outputs: [tensor])
        response.parameters = [
            InferenceParameter("text", .string("t")), InferenceParameter("flag", .bool(false)),
            InferenceParameter("whole", .integer(-1)), InferenceParameter("large", .unsigned(.max)),
            InferenceParameter("number", .number(0.25)),
        ]
        let call = InferenceCall(request: InferenceRequest(modelName: "m", inputs: []), outputs: [])
        let result = try InferenceResult(
            response, for: call.form, memory: SharedMemory(isAllowed: false))
        let plain = InferenceProtobufWriter.message(result, isFinal: true)
        let message = try Inference_ModelInferResponse(serializedBytes: joined(plain))
        #expect(message.modelName == "m" && message.modelVersion == "2" && message.id == "q")
        #expect(message.parameters["triton_final_response"]?.boolParam == true)
        #expect(message.parameters["text"]?.stringParam == "t" && message.parameters["flag"]?.boolParam == false)
        #expect(message.parameters["whole"]?.int64Param == -1 && message.parameters["large"]?.uint64Param == .max)
        #expect(message.parameters["number"]?.doubleParam == 0.25)
        #expect(message.outputs.first?.shape == [1, 2] && message.outputs.first?.datatype == "FP32")
        #expect(message.rawOutputContents.map(Array.init) == [tensor.data.withUnsafeBytes { Array($0) }])
        let stream = try Inference_ModelStreamInferResponse(
            serializedBytes: joined(InferenceProtobufWriter.stream(plain)))
        #expect(stream.inferResponse == message)
        let failure = try Inference_ModelStreamInferResponse(
            serializedBytes: joined(InferenceProtobufWriter.streamError("no", id: "q", isFinal: nil)))
        #expect(failure.errorMessage == "no" && failure.inferResponse.id == "q")
    }

    private func joined(_ message: InferenceProtobufWriter.Message) -> [UInt8] {
        let bytes = message.parts.flatMap { part -> [UInt8] in
            switch part {
            case .bytes(let bytes): bytes
            case .tensor(let tensor): tensor.withUnsafeBytes { Array($0) }
            }
        }
        #expect(bytes.count == message.byteCount)
        return bytes
    }
}
