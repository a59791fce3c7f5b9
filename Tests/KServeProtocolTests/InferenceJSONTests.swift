import Halcyon
import KServeProtocol
import Tensors
import Testing

@Suite("Inference requests in JSON and binary data")
struct InferenceJSONTests {
    private func read(
        _ json: String, binary: [UInt8] = [], memory: SharedMemory = SharedMemory(isAllowed: false),
        change: (inout ProtocolLimits) -> Void = { _ in }
    ) throws -> InferenceCall {
        var limits = ProtocolLimits()
        change(&limits)
        return try InferenceJSONReader(limits: limits, memory: memory).read(
            TensorBuffer(copying: Array(json.utf8) + binary), jsonByteCount: json.utf8.count, model: "m", version: nil)
    }

    private func message(_ json: String, binary: [UInt8] = []) -> String {
        do {
            _ = try read(json, binary: binary)
            return "no error"
        } catch {
            return HalcyonError(wrapping: error).message
        }
    }

    private func input(_ type: String, _ shape: String, _ data: String) -> String {
        #"{"inputs":[{"name":"IN","datatype":"\#(type)","shape":\#(shape),"data":\#(data)}]}"#
    }

    @Test("Every element type, flat and nested")
    func elementTypes() throws {
        func bytes<Element: BitwiseCopyable>(_ elements: [Element]) -> [UInt8] {
            elements.withUnsafeBytes { Array($0) }
        }
        let cases: [(String, String, [UInt8])] = [
            ("BOOL", "[true,false]", [1, 0]), ("UINT8", "[0,255]", [0, 255]),
            ("UINT16", "[0,65535]", bytes([0, 65535] as [UInt16])),
            ("UINT32", "[0,4294967295]", bytes([0, .max] as [UInt32])),
            ("UINT64", "[0,18446744073709551615]", bytes([0, .max] as [UInt64])),
            ("INT8", "[-128,127]", bytes([-128, 127] as [Int8])),
            ("INT16", "[-32768,32767]", bytes([.min, .max] as [Int16])),
            ("INT32", "[-2147483648,2.0e1]", bytes([.min, 20] as [Int32])),
            ("INT64", "[-9223372036854775808,1]", bytes([.min, 1] as [Int64])),
            ("FP16", "[1,0.5]", bytes([0x3C00, 0x3800] as [UInt16])),
            ("BF16", "[1,-2]", bytes([0x3F80, 0xC000] as [UInt16])),
            ("FP32", "[0.1,1e30]", bytes([0.1, 1e30] as [Float])),
            ("FP64", "[0.1,-1e300]", bytes([0.1, -1e300] as [Double])),
            ("BYTES", "[\"a\",\"\"]", [1, 0, 0, 0, 97, 0, 0, 0, 0]),
        ]
        for (type, data, expected) in cases {
            for (shape, text) in [("[2]", data), ("[1,2]", "[\(data)]")] {
                let tensor = try #require(try read(input(type, shape, text)).request.inputs.first)
                #expect(tensor.elementType.rawValue == type)
                #expect(tensor.data.withUnsafeBytes { Array($0) } == expected, "\(type)")
            }
        }
    }

    @Test("The values may stand before what says how to read them")
    func order() throws {
        let call = try read(#"{"inputs":[{"data":[[1,2]],"shape":[2],"datatype":"INT32","name":"IN"}],"id":"x"}"#)
        #expect(try call.request.inputs[0].elements(as: Int32.self) == [1, 2])
        #expect(call.request.id == "x")
    }

    @Test("Numbers that are none of the type, and shapes that do not fit, are the client's fault")
    func faults() {
        #expect(message(input("INT8", "[1]", "[300]")).contains("no INT8 (-128 to 127)"))
        #expect(message(input("UINT8", "[1]", "[-1]")).contains("no UINT8"))
        #expect(message(input("INT32", "[1]", "[1.5]")).contains("no INT32"))
        #expect(message(input("INT32", "[1]", "[\"1\"]")).contains("non-signed-integer as signed-integer"))
        #expect(message(input("BOOL", "[1]", "[1]")).contains("non-boolean as boolean"))
        #expect(message(input("INT32", "[2]", "[1]")).contains("shape does not match true shape"))
        #expect(message(input("INT32", "[2]", "[1,2,3]")).contains("shape does not match true shape"))
        #expect(message(input("INT32", "[4611686018427387904,16]", "[1]")).contains("64 bits"))
        #expect(message(input("INT32", "[1000000000]", "[1]")).contains("shape does not match true shape"))
        #expect(message(input("INT32", "[-1]", "[1]")).contains("non-unsigned-integer as unsigned-integer"))
        #expect(message(input("INT33", "[1]", "[1]")).contains("invalid datatype 'INT33'"))
        #expect(message("{}").contains("non-existing object member 'inputs'"))
        #expect(message(#"{"inputs":3}"#).contains("non-array as array"))
        #expect(message("{").hasPrefix("failed to parse the request JSON buffer:"))
        #expect(message(#"{"inputs":[{"name":"IN","datatype":"INT32","shape":[1]}]}"#).contains("But no field is set"))
        #expect(message(#"{"inputs":[],"parameters":{"triton_x":1}}"#).contains("reserved for Triton usage"))
        #expect(message(#"{"inputs":[],"parameters":{"priority":"high"}}"#).contains("'priority'"))
    }

    private func binaryInput(_ sizes: [Int]) -> String {
        let inputs = sizes.enumerated().map {
            #"{"name":"IN\#($0)","datatype":"UINT8","shape":[1],"parameters":{"binary_data_size":\#($1)}}"#
        }
        return #"{"inputs":["# + inputs.joined(separator: ",") + "]}"
    }

    @Test("Binary data is handed out in order, and must be neither too short nor too long")
    func binary() throws {
        let call = try read(binaryInput([2, 1]), binary: [7, 8, 9])
        #expect(call.request.inputs.map { $0.data.withUnsafeBytes { Array($0) } } == [[7, 8], [9]])
        #expect(
            message(binaryInput([2, 4]), binary: [7, 8, 9])
                == "unexpected size for input 'IN1', expecting 3 additional bytes for model 'm'")
        #expect(message(binaryInput([2]), binary: [7, 8, 9]) == "unexpected additional input data for model 'm'")
        #expect(message(binaryInput([-1]), binary: []).contains("'binary_data_size'"))
        #expect(message(binaryInput([.max]), binary: [1]).contains("unexpected size"))
    }

    @Test("Outputs, parameters and limits")
    func outputs() throws {
        let call = try read(
            #"""
            {"inputs":[],"outputs":[{"name":"A","parameters":{"binary_data":true}},
            {"name":"B","parameters":{"classification":3}}],
            "parameters":{"binary_data_output":true,"priority":2,"timeout":5,"custom":"x"}}
            """#)
        #expect(call.form.outputs.map(\.name) == ["A", "B"])
        #expect(call.form.outputs.map(\.isBinary) == [true, nil])
        #expect(call.form.outputs[1].classCount == 3)
        #expect(call.form.prefersBinary)
        #expect(call.request.priority == 2 && call.request.timeoutMicroseconds == 5)
        #expect(throws: HalcyonError.self) { try read(binaryInput([0, 0]), change: { $0.inputs = 1 }) }
        #expect(throws: HalcyonError.self) { try read("{\"a\":[[[1]]],\"inputs\":[]}", change: { $0.jsonDepth = 3 }) }
    }

    @Test("An answer, with values in the text and behind it")
    func answer() throws {
        let outputs = [
            try Tensor(name: "F", shape: [2], [0.1, .infinity] as [Float]),
            try Tensor(name: "B", elementType: .bool, shape: [2], data: TensorBuffer(copying: [1, 0] as [UInt8])),
            try Tensor(name: "R", shape: [1], [7] as [Int32]),
        ]
        let response = InferenceResponse(modelName: "m", modelVersion: 3, id: "q\"", outputs: outputs)
        var wanted = outputs.map { RequestedOutput(name: $0.name) }
        wanted[2].isBinary = true
        let call = InferenceCall(request: InferenceRequest(modelName: "m", inputs: []), outputs: wanted)
        let writer = try InferenceJSONWriter(
            try InferenceResult(response, for: call.form, memory: SharedMemory(isAllowed: false)))
        #expect(
            String(decoding: writer.json, as: UTF8.self) == #"""
                {"id":"q\"","model_name":"m","model_version":"3","outputs":[\#
                {"name":"F","datatype":"FP32","shape":[2],"data":[0.1,Infinity]},\#
                {"name":"B","datatype":"BOOL","shape":[2],"data":[true,false]},\#
                {"name":"R","datatype":"INT32","shape":[1],"parameters":{"binary_data_size":4}}]}
                """#)
        #expect(writer.binary.map { $0.withUnsafeBytes { Array($0) } } == [[7, 0, 0, 0]])
    }

    @Test("Parameters that mean nothing to the server go to the model, and what the model says comes back")
    func parametersOfModels() throws {
        let body = #"""
            {"parameters":{"temperature":0.5,"priority":2,"user":"a","deep":true,"user":"b","n":-3},"inputs":[]}
            """#
        let request = try read(body).request
        #expect(request.priority == 2)
        #expect(
            request.parameters == [
                InferenceParameter("temperature", .number(0.5)), InferenceParameter("user", .string("b")),
                InferenceParameter("deep", .bool(true)), InferenceParameter("n", .integer(-3)),
            ])
        var response = InferenceResponse(modelName: "m", modelVersion: 1, id: "", outputs: [])
        response.outputs = [try Tensor(name: "R", shape: [1], [7] as [Int32])]
        response.parameters = request.parameters + [InferenceParameter("large", .unsigned(.max))]
        let call = InferenceCall(request: InferenceRequest(modelName: "m", inputs: []), outputs: [])
        let writer = try InferenceJSONWriter(
            try InferenceResult(response, for: call.form, memory: SharedMemory(isAllowed: false)))
        #expect(
            String(decoding: writer.json, as: UTF8.self) == #"""
                {"model_name":"m","model_version":"1","parameters":{"temperature":0.5,"user":"b","deep":true,"n":-3,\#
                "large":18446744073709551615},"outputs":[{"name":"R","datatype":"INT32","shape":[1],"data":[7]}]}
                """#)
    }
}
