import CTriton
import HalcyonTestKit
import Tensors
import Testing

@Suite("What requests and responses of the C interface say of themselves")
struct RequestPropertyTests {
    @Test("Flags, priority and parameters are kept, and those out of range refused")
    func properties() throws {
        let fixture = try Fixture()
        let call = try Call(fixture)
        var flags: UInt32 = 9
        try check(TRITONSERVER_InferenceRequestSetFlags(call.request, 3))
        try check(TRITONSERVER_InferenceRequestFlags(call.request, &flags))
        #expect(flags == 3)
        var priority: UInt64 = 0
        try check(TRITONSERVER_InferenceRequestSetPriority(call.request, 7))
        try check(TRITONSERVER_InferenceRequestPriorityUInt64(call.request, &priority))
        #expect(priority == 7)
        try check(TRITONSERVER_InferenceRequestSetStringParameter(call.request, "text", "value"))
        try check(TRITONSERVER_InferenceRequestSetIntParameter(call.request, "number", -3))
        try check(TRITONSERVER_InferenceRequestSetBoolParameter(call.request, "flag", true))
        try check(TRITONSERVER_InferenceRequestSetDoubleParameter(call.request, "part", 0.5))
        for nameless in [
            TRITONSERVER_InferenceRequestSetStringParameter(call.request, "", "value"),
            TRITONSERVER_InferenceRequestSetIntParameter(call.request, "", 1),
            TRITONSERVER_InferenceRequestSetBoolParameter(call.request, "", true),
            TRITONSERVER_InferenceRequestSetDoubleParameter(call.request, "", 1),
        ] { #expect(failure(nameless)?.message == "a parameter has no name") }
        let long = String(repeating: "x", count: 129)
        #expect(
            failure(TRITONSERVER_InferenceRequestSetCorrelationIdString(call.request, long))?.message.contains("129")
                == true)
    }

    @Test("Whether a request is cancelled is known from when it was handed in")
    func cancelled() throws {
        let fixture = try Fixture()
        let call = try Call(fixture)
        var isCancelled = true
        #expect(failure(TRITONSERVER_InferenceRequestIsCancelled(call.request, &isCancelled)) != nil)
        #expect(failure(TRITONSERVER_InferenceRequestCancel(call.request)) != nil)
        try call.add([1])
        try call.infer(on: fixture)
        call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
        try check(TRITONSERVER_InferenceRequestIsCancelled(call.request, &isCancelled))
        #expect(!isCancelled)
    }

    @Test("Inputs are taken away again, and requested outputs choose what comes")
    func tensors() throws {
        let fixture = try Fixture(["stream": Fixture.stream])
        let call = try Call(fixture, "stream")
        try call.add([1, 2], to: "GONE")
        try check(TRITONSERVER_InferenceRequestRemoveInput(call.request, "GONE"))
        try call.add([7], shape: [1])
        try call.add([0], to: "DELAY", shape: [1], type: TRITONSERVER_TYPE_UINT32)
        try call.add([0], to: "WAIT", shape: [1], type: TRITONSERVER_TYPE_UINT32)
        try check(TRITONSERVER_InferenceRequestAddRequestedOutput(call.request, "OUT"))
        try check(TRITONSERVER_InferenceRequestAddRequestedOutput(call.request, "IDX"))
        try check(TRITONSERVER_InferenceRequestRemoveRequestedOutput(call.request, "OUT"))
        #expect(keys(of: call, on: fixture, run: 1) == ["IDX"])
        try check(TRITONSERVER_InferenceRequestRemoveAllRequestedOutputs(call.request))
        #expect(keys(of: call, on: fixture, run: 2) == ["IDX", "OUT"])
        try check(TRITONSERVER_InferenceRequestAddRequestedOutput(call.request, "NONE"))
        let error = failure(TRITONSERVER_ServerInferAsync(fixture.server, call.request, nil))
        #expect(error?.message.contains("NONE") == true)
    }

    private func keys(of call: Call, on fixture: Fixture, run: Int) -> [String]? {
        guard (try? call.infer(on: fixture)) != nil else { return nil }
        let seen = call.seen.wait { state in
            state.releases == run && state.responses.count { $0.isFinal } == run
        }
        return seen.responses.last { !$0.isNull }?.outputs.keys.sorted()
    }

    @Test("Bytes come with attributes of memory, or for the instances of one host policy")
    func data() throws {
        let fixture = try Fixture()
        var (first, second): ([Int32], [Int32]) = ([1, 2], [3])
        let call = try Call(fixture)
        let attributes = try made { TRITONSERVER_BufferAttributesNew($0) }
        try check(TRITONSERVER_BufferAttributesSetByteSize(attributes, 8))
        try check(TRITONSERVER_InferenceRequestAddInput(call.request, "IN", TRITONSERVER_TYPE_INT32, [1, 2], 2))
        try first.withUnsafeMutableBytes { bytes in
            try check(
                TRITONSERVER_InferenceRequestAppendInputDataWithBufferAttributes(
                    call.request, "IN", bytes.baseAddress, attributes))
            try call.infer(on: fixture)
            call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
            try check(TRITONSERVER_InferenceRequestRemoveAllInputs(call.request))
        }
        try check(TRITONSERVER_InferenceRequestAddInput(call.request, "IN", TRITONSERVER_TYPE_INT32, [1, 1], 2))
        try second.withUnsafeMutableBytes { bytes in
            try check(
                TRITONSERVER_InferenceRequestAppendInputDataWithHostPolicy(
                    call.request, "IN", bytes.baseAddress, 4, TRITONSERVER_MEMORY_CPU, 0, "cpu"))
            try call.infer(on: fixture)
            call.seen.wait { $0.responses.count == 2 && $0.releases == 2 }
        }
        #expect(call.seen.value.responses.map { int32s($0.outputs["OUT"]) } == [[1, 2], [3]])
        let kind = TRITONSERVER_MemoryType(rawValue: 9)
        for (error, words) in [
            (TRITONSERVER_BufferAttributesSetByteSize(attributes, -1), "18446744073709551615"),
            (TRITONSERVER_BufferAttributesSetMemoryType(attributes, kind), "memory 9"),
            (
                TRITONSERVER_InferenceRequestAppendInputData(
                    call.request, "IN", &second, -1, TRITONSERVER_MEMORY_CPU, 0),
                "18446744073709551615"
            ),
            (TRITONSERVER_InferenceRequestAppendInputData(call.request, "IN", &second, 4, kind, 0), "memory 9"),
            (
                TRITONSERVER_InferenceRequestAppendInputData(call.request, "IN", nil, 4, TRITONSERVER_MEMORY_CPU, 0),
                "'base' is NULL, expected 4 bytes"
            ),
            (
                TRITONSERVER_InferenceRequestAddInput(
                    call.request, "X", TRITONSERVER_DataType(rawValue: 15), [1], 1), "data type 15"
            ),
            (TRITONSERVER_InferenceRequestAddInput(call.request, "X", TRITONSERVER_TYPE_INT32, [-1], 1), "-1"),
            (TRITONSERVER_InferenceRequestAddInput(call.request, "X", TRITONSERVER_TYPE_INT32, [1], 1025), "1025"),
        ] { #expect(failure(error)?.message.contains(words) == true, "\(words)") }
        try check(TRITONSERVER_BufferAttributesDelete(attributes))
    }

    @Test("Texts may be cut anywhere between two pieces, but for the length in front of each")
    func texts() throws {
        let fixture = try Fixture(["texts": Fixture.echo.replacing("TYPE_INT32", with: "TYPE_STRING")])
        let bytes: [UInt8] = [2, 0, 0, 0, 65, 66, 1, 0, 0, 0, 67]
        for (cut, fault) in [(1, 1), (3, 3), (4, nil), (5, nil), (6, nil), (7, 1), (9, 3), (10, nil)] as [(Int, Int?)] {
            let call = try Call(fixture, "texts")
            try check(TRITONSERVER_InferenceRequestAddInput(call.request, "IN", TRITONSERVER_TYPE_BYTES, [1, 2], 2))
            try bytes.withUnsafeBytes { bytes in
                for part in [bytes[..<cut], bytes[cut...]] {
                    let part = UnsafeRawBufferPointer(rebasing: part)
                    try check(
                        TRITONSERVER_InferenceRequestAppendInputData(
                            call.request, "IN", part.baseAddress, part.count, TRITONSERVER_MEMORY_CPU, 0))
                }
                let error = failure(TRITONSERVER_ServerInferAsync(fixture.server, call.request, nil))
                let words = fault.map {
                    "incomplete string length indicator for inference input 'IN' for model 'texts', expecting 4 bytes "
                        + "but only \($0) bytes available. Please make sure the string length indicator is in one "
                        + "buffer."
                }
                #expect(error?.message == words, "cut at \(cut)")
                if error == nil { call.seen.wait { $0.responses.count == 1 && $0.releases == 1 } }
            }
            if fault == nil { #expect(call.seen.value.responses[0].outputs["OUT"] == bytes) }
        }
    }

    @Test("A handle of another process's memory is copied into the attributes, and given back")
    func ipcHandle() throws {
        let attributes = try made { TRITONSERVER_BufferAttributesNew($0) }
        var found: UnsafeMutableRawPointer?
        try check(TRITONSERVER_BufferAttributesCudaIpcHandle(attributes, &found))
        #expect(found == nil)
        for number in [UInt8(7), 9] {
            var handle = [UInt8](repeating: number, count: 64)
            try check(TRITONSERVER_BufferAttributesSetCudaIpcHandle(attributes, &handle))
            try check(TRITONSERVER_BufferAttributesCudaIpcHandle(attributes, &found))
            #expect(found.map { Array(UnsafeRawBufferPointer(start: $0, count: 64)) } == handle)
        }
        try check(TRITONSERVER_BufferAttributesDelete(attributes))
    }

    @Test("A response names its model and request, and the label of a class; an index beyond the last is an error")
    func response() throws {
        let fixture = try Fixture { options in
            try check(TRITONSERVER_ServerOptionsSetModelControlMode(options, TRITONSERVER_MODEL_CONTROL_EXPLICIT))
        }
        try Fixture.write(
            Fixture.echo.replacing("dims: [ -1 ] } ]\noutput", with: "dims: [ 2 ] } ]\noutput")
                .replacing(
                    "\"OUT\", data_type: TYPE_INT32, dims: [ -1 ]",
                    with: "\"OUT\", data_type: TYPE_INT32, dims: [ 2 ], label_filename: \"labels.txt\""),
            "labelled", in: fixture.folder)
        try fixture.folder.write("cat\ndog\n", to: "labelled/labels.txt")
        try check(TRITONSERVER_ServerLoadModel(fixture.server, "labelled"))
        let call = try Call(fixture, "labelled")
        try check(TRITONSERVER_InferenceRequestSetId(call.request, "mine"))
        let respond: TRITONSERVER_InferenceResponseCompleteFn_t = { response, _, userp in
            var (model, id): (UnsafePointer<CChar>?, UnsafePointer<CChar>?)
            var version: Int64 = 0
            var labels: [String] = []
            _ = failure(TRITONSERVER_InferenceResponseModel(response, &model, &version))
            _ = failure(TRITONSERVER_InferenceResponseId(response, &id))
            for index in [1, 2, -1] {
                var label: UnsafePointer<CChar>?
                let error = failure(
                    TRITONSERVER_InferenceResponseOutputClassificationLabel(response, 0, index, &label))
                labels.append(error?.message ?? label.map { String(cString: $0) } ?? "none")
            }
            var label: UnsafePointer<CChar>?
            let beyond = failure(TRITONSERVER_InferenceResponseOutputClassificationLabel(response, 1, 0, &label))
            let parameter = failure(TRITONSERVER_InferenceResponseParameter(response, 0, &label, nil, nil))
            // Programs ask with the functions of backends, too.
            var (name, shape) = (UnsafePointer<CChar>?.none, UnsafePointer<Int64>?.none)
            var (type, rank) = (TRITONSERVER_TYPE_INVALID, UInt64(0))
            _ = failure(TRITONBACKEND_InferenceResponseOutput(response, 0, &name, &type, &shape, &rank))
            labels.append("\(name.map { String(cString: $0) } ?? "") \(type.rawValue) \(rank) \(shape?[1] ?? 0)")
            _ = failure(TRITONBACKEND_InferenceResponseOutputByName(response, "OUT", &type, &shape, &rank))
            let text = [model, id].compactMap { $0.map { String(cString: $0) } } + ["\(version)"] + labels
            _ = failure(TRITONSERVER_InferenceResponseDelete(response))
            let again = failure(TRITONSERVER_InferenceResponseId(response, &id))
            Seen.at(userp)?.change { seen in
                seen.events = text + [beyond, parameter, again].map { $0?.message ?? "" }
            }
        }
        try check(
            TRITONSERVER_InferenceRequestSetResponseCallback(
                call.request, call.allocator, call.seen.pointer, respond, call.seen.pointer))
        try call.add([4, 5])
        try call.infer(on: fixture)
        let events = call.seen.wait { $0.events.count == 10 && $0.releases == 1 }.events
        #expect(
            events == [
                "labelled", "mine", "1", "dog", "none", "none", "OUT 8 2 2",
                "out of bounds index 1, response has 1 outputs",
                "out of bounds index 0, response has 0 parameters",
                "'inference_response' is a handle that was given up, expected a handle of kind 'inferenceResponse'",
            ])
    }
}
