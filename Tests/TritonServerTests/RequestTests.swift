import CTriton
import Glibc
import HalcyonTestKit
import Tensors
import Testing
import Threads

@Suite("Requests of the C interface")
struct RequestTests {
    @Test("A request is answered into the allocator's memory, and is given back")
    func answer() throws {
        let fixture = try Fixture()
        let call = try Call(fixture)
        try call.add([1, 2, 3, 4])
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.releases == 1 && $0.responses.count == 1 }
        #expect(int32s(seen.responses[0].outputs["OUT"]) == [1, 2, 3, 4])
        #expect(seen.responses[0].isFinal)
        #expect(seen.responses[0].error == nil)
        #expect(seen.allocated == 1)
        #expect(seen.freed == 1)
        #expect(seen.starts == 1)
        #expect(seen.events.contains("release 1"))
    }

    @Test("Inputs in several pieces are gathered, and a request may be used again")
    func again() throws {
        let fixture = try Fixture()
        let call = try Call(fixture)
        try call.add([1, 2, 3, 4], pieces: 4)
        try call.infer(on: fixture)
        call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
        try check(TRITONSERVER_InferenceRequestRemoveAllInputData(call.request, "IN"))
        try call.append([5, 6, 7, 8])
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.responses.count == 2 && $0.releases == 2 }
        #expect(int32s(seen.responses[0].outputs["OUT"]) == [1, 2, 3, 4])
        #expect(int32s(seen.responses[1].outputs["OUT"]) == [5, 6, 7, 8])
    }

    @Test("The program is called on another thread than its own, unless it says that it may be")
    func threads() throws {
        for isAllowed in [false, true] {
            let fixture = try Fixture { options in
                guard isAllowed else { return }
                try check(
                    TRITONSERVER_ServerOptionsSetBackendConfig(options, "", "callbacks-on-callers-thread", "true"))
            }
            let call = try Call(fixture)
            try call.add([1])
            try call.infer(on: fixture)
            let seen = call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
            #expect((seen.responses[0].thread == UInt(pthread_self())) == isAllowed)
        }
    }

    @Test("What is wrong with a request is said at once, and the request stays the caller's")
    func refused() throws {
        let fixture = try Fixture()
        let call = try Call(fixture)
        try call.add([1, 2], to: "OTHER")
        let error = failure(TRITONSERVER_ServerInferAsync(fixture.server, call.request, nil))
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("OTHER") == true)
        #expect(call.seen.value.responses.isEmpty)
        try check(TRITONSERVER_InferenceRequestRemoveAllInputs(call.request))
        try call.add([3])
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.releases == 1 && $0.responses.count == 1 }
        #expect(int32s(seen.responses[0].outputs["OUT"]) == [3])
        #expect(failure(TRITONSERVER_InferenceRequestRemoveInput(call.request, "NONE"))?.code == .invalidArgument)
        #expect(
            failure(made: { TRITONSERVER_InferenceRequestNew($0, fixture.server, "none", -1) })?.code == .notFound)
    }

    @Test("A decoupled model's responses come one by one, and then the word that there is no more")
    func decoupled() throws {
        let fixture = try Fixture(["stream": Fixture.stream])
        var flags: UInt32 = 0
        try check(TRITONSERVER_ServerModelTransactionProperties(fixture.server, "stream", -1, &flags, nil))
        #expect(flags == TRITONSERVER_TXN_DECOUPLED.rawValue)
        let call = try Call(fixture, "stream")
        try call.add([7, 8, 9], shape: [3])
        try call.add([0, 0, 0], to: "DELAY", shape: [3], type: TRITONSERVER_TYPE_UINT32)
        try call.add([0], to: "WAIT", shape: [1], type: TRITONSERVER_TYPE_UINT32)
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.responses.last?.isFinal == true && $0.releases == 1 }
        #expect(seen.responses.dropLast().map { int32s($0.outputs["OUT"]) } == [[7], [8], [9]])
        #expect(seen.responses.last?.isNull == true)
        #expect(seen.starts == 3)
    }

    @Test("A request that waits ends when it is cancelled, and its program is called on another thread")
    func cancelled() throws {
        let batching = "dynamic_batching { preferred_batch_size: [ 8 ] max_queue_delay_microseconds: 600000000 }"
        let waiting = "\(Fixture.echo)\n\(batching)"
        let fixture = try Fixture(["echo": waiting])
        let call = try Call(fixture)
        try call.add([1])
        try call.infer(on: fixture)
        try check(TRITONSERVER_InferenceRequestCancel(call.request))
        let seen = call.seen.wait { $0.releases == 1 && $0.responses.count == 1 }
        #expect(seen.responses[0].error?.message.contains("was cancelled") == true)
        #expect(seen.responses[0].isFinal)
        #expect(seen.responses[0].thread != UInt(pthread_self()))
    }

    @Test("Raw bytes become the model's one input")
    func raw() throws {
        let fixture = try Fixture()
        let call = try Call(fixture)
        try check(TRITONSERVER_InferenceRequestAddRawInput(call.request, "anything"))
        try call.append([1, 2, 3], to: "anything")
        let second = failure(
            TRITONSERVER_InferenceRequestAddInput(call.request, "IN", TRITONSERVER_TYPE_INT32, [1, 1], 2))
        #expect(second?.code == .invalidArgument)
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
        #expect(int32s(seen.responses[0].outputs["OUT"]) == [1, 2, 3])
    }

    @Test("What was set is given back")
    func properties() throws {
        let fixture = try Fixture()
        let request = try Call(fixture).request
        _ = request
        let call = try Call(fixture)
        var number: UInt64 = 9
        var text: UnsafePointer<CChar>?
        try check(TRITONSERVER_InferenceRequestSetId(call.request, "one"))
        try check(TRITONSERVER_InferenceRequestId(call.request, &text))
        #expect(text.map { String(cString: $0) } == "one")
        try check(TRITONSERVER_InferenceRequestCorrelationId(call.request, &number))
        #expect(number == 0)
        try check(TRITONSERVER_InferenceRequestSetCorrelationIdString(call.request, "series"))
        #expect(failure(TRITONSERVER_InferenceRequestCorrelationId(call.request, &number)) != nil)
        try check(TRITONSERVER_InferenceRequestCorrelationIdString(call.request, &text))
        #expect(text.map { String(cString: $0) } == "series")
        try check(TRITONSERVER_InferenceRequestSetPriorityUInt64(call.request, 1 << 40))
        var priority: UInt32 = 0
        try check(TRITONSERVER_InferenceRequestPriority(call.request, &priority))
        #expect(priority == .max)
        try check(TRITONSERVER_InferenceRequestSetTimeoutMicroseconds(call.request, 5))
        try check(TRITONSERVER_InferenceRequestTimeoutMicroseconds(call.request, &number))
        #expect(number == 5)
        #expect(failure(TRITONSERVER_InferenceRequestSetFlags(call.request, 4))?.code == .invalidArgument)
        var isCancelled = true
        #expect(failure(TRITONSERVER_InferenceRequestIsCancelled(call.request, &isCancelled))?.code == .internal)
    }

    @Test("A trace tells the request's way, and goes back when nothing more comes")
    func trace() throws {
        let fixture = try Fixture()
        let call = try Call(fixture)
        try call.add([1])
        let told: TRITONSERVER_InferenceTraceActivityFn_t = { _, activity, _, userp in
            let name = TRITONSERVER_InferenceTraceActivityString(activity).map { String(cString: $0) } ?? ""
            Seen.at(userp)?.change { $0.events.append(name) }
        }
        let sawTensor: TRITONSERVER_InferenceTraceTensorActivityFn_t = {
            _, activity, name, _, _, size, _, _, _, _, userp in
            let tensor = name.map { String(cString: $0) } ?? ""
            Seen.at(userp)?.change { $0.events.append("\(tensor) \(size)") }
        }
        let released: TRITONSERVER_InferenceTraceReleaseFn_t = { trace, userp in
            var name: UnsafePointer<CChar>?
            _ = failure(TRITONSERVER_InferenceTraceModelName(trace, &name))
            let model = name.map { String(cString: $0) } ?? ""
            _ = failure(TRITONSERVER_InferenceTraceDelete(trace))
            Seen.at(userp)?.change { $0.events.append("released \(model)") }
        }
        let level = TRITONSERVER_InferenceTraceLevel(rawValue: 12)
        let trace = try made {
            TRITONSERVER_InferenceTraceTensorNew($0, level, 0, told, sawTensor, released, call.seen.pointer)
        }
        try call.infer(on: fixture, trace: trace)
        let seen = call.seen.wait { $0.events.contains("released echo") && $0.releases == 1 && !$0.responses.isEmpty }
        let expected = [
            "REQUEST_START", "QUEUE_START", "IN 4", "COMPUTE_START", "COMPUTE_INPUT_END", "COMPUTE_OUTPUT_START",
            "COMPUTE_END", "OUT 4", "REQUEST_END",
        ]
        #expect(seen.events.filter { expected.contains($0) } == expected)
    }

    @Test("A callback may hand in the next request and ask the server, but not stop it")
    func nested() throws {
        let fixture = try Fixture()
        let call = try Call(fixture)
        try call.add([1])
        let next = try Call(fixture)
        try next.add([2])
        let nested = Nested(fixture.server, next.request)
        let respond: TRITONSERVER_InferenceResponseCompleteFn_t = { response, _, userp in
            _ = failure(TRITONSERVER_InferenceResponseDelete(response))
            guard let nested = userp.map({ Unmanaged<Nested>.fromOpaque($0).takeUnretainedValue() }) else { return }
            var isReady = false
            let asked = failure(TRITONSERVER_ServerIsReady(nested.server, &isReady)) == nil && isReady
            let stopped = failure(TRITONSERVER_ServerStop(nested.server))
            let handedIn = failure(TRITONSERVER_ServerInferAsync(nested.server, nested.request, nil)) == nil
            nested.seen.change { state in
                state.events = ["\(asked)", "\(stopped?.code == .unavailable)", "\(handedIn)"]
            }
        }
        try check(
            TRITONSERVER_InferenceRequestSetResponseCallback(
                call.request, call.allocator, call.seen.pointer, respond,
                Unmanaged.passUnretained(nested).toOpaque()))
        try call.infer(on: fixture)
        #expect(nested.seen.wait { !$0.events.isEmpty }.events == ["true", "true", "true"])
        let seen = next.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
        #expect(int32s(seen.responses[0].outputs["OUT"]) == [2])
        call.seen.wait { $0.releases == 1 }
    }

    @Test("A server that is deleted finishes what it has, and nothing of it is a handle any more")
    func deleted() throws {
        let fixture = try Fixture([
            "slow": Fixture.echo + "\nparameters { key: \"execute_delay_ms\" value { string_value: \"50\" } }"
        ])
        let call = try Call(fixture, "slow")
        try call.add([4])
        try call.infer(on: fixture)
        try fixture.delete()
        let seen = call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
        #expect(int32s(seen.responses[0].outputs["OUT"]) == [4])
        var isLive = true
        #expect(failure(TRITONSERVER_ServerIsLive(fixture.server, &isLive))?.code == .invalidArgument)
        #expect(failure(TRITONSERVER_ServerInferAsync(fixture.server, call.request, nil))?.code == .invalidArgument)
    }
}

/// What a callback hands in from inside.
final class Nested: @unchecked Sendable {
    let server: OpaquePointer
    let request: OpaquePointer
    let seen = Seen()

    init(_ server: OpaquePointer, _ request: OpaquePointer) {
        self.server = server
        self.request = request
    }
}
