import CTriton
import HalcyonTestKit
import Tensors
import Testing

@Suite("Requests that a C backend puts back", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct IterativeSequenceTests {
    private static func stepper(_ strategy: String, isIterative: Bool = true, lines: String = "") -> String {
        """
        backend: "stepper"
        max_batch_size: 4
        \(lines)
        input [ { name: "IN" data_type: TYPE_INT32 dims: [ 2 ] } ]
        output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 4 ] } ]
        instance_group [ { count: 1 kind: KIND_CPU } ]
        sequence_batching {
          \(strategy)
          \(isIterative ? "iterative_sequence: true" : "")
          control_input [ {
            name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ]
          } ]
          state [ { input_name: "SEEN" output_name: "SEEN_NEXT" data_type: TYPE_INT32 dims: [ 1 ] } ]
        }
        """
    }

    private static let oldest = "oldest { max_candidate_sequences: 4 }"

    private func fixture() throws -> (Fixture, Folder) {
        let folder = try Folder()
        try CLibrary.compile(Fixture.library("stepper"), to: "\(folder.path)/stepper/libtriton_stepper.so")
        let models = [
            "once": Self.stepper(Self.oldest), "direct": Self.stepper("direct { }"),
            "stream": Self.stepper(Self.oldest, lines: "model_transaction_policy { decoupled: true }"),
            "plain": Self.stepper(Self.oldest, isIterative: false),
        ]
        return (
            try Fixture(models) {
                try check(TRITONSERVER_ServerOptionsSetBackendDirectory($0, folder.path))
            }, folder
        )
    }

    private func call(
        _ model: String, _ steps: Int32, _ mode: Int32 = 0, sequence: UInt64 = 0, on fixture: Fixture
    ) throws -> Call {
        let call = try Call(fixture, model)
        try call.add([steps, mode], shape: [1, 2])
        if sequence > 0 {
            try check(TRITONSERVER_InferenceRequestSetCorrelationId(call.request, sequence))
            try check(
                TRITONSERVER_InferenceRequestSetFlags(
                    call.request, TRITONSERVER_REQUEST_FLAG_SEQUENCE_START.rawValue))
        }
        try call.infer(on: fixture)
        return call
    }

    private func end(of call: Call) -> Seen.State {
        call.seen.wait { $0.responses.last?.isFinal == true && $0.releases == 1 }
    }

    @Test("A request is put back until the model has answered it, with its state, and begins its sequence once")
    func once() throws {
        let (fixture, folder) = try fixture()
        for model in ["once", "direct"] {
            for (index, steps) in [Int32(1), 2, 50].enumerated() {
                let seen = end(of: try call(model, steps, on: fixture))
                #expect(seen.responses.count == 1)
                let isFirst: Int32 = steps == 1 ? 1 : 0
                #expect(
                    int32s(seen.responses[0].outputs["OUT"]) == [steps - 1, isFirst, Int32(index + 1), isFirst])
            }
            // A client's own sequence ends with its request, and can begin again.
            for _ in 0..<2 {
                let seen = end(of: try call(model, 3, sequence: 70, on: fixture))
                #expect(int32s(seen.responses.last?.outputs["OUT"]) == [2, 0, 70, 0])
            }
        }
        withExtendedLifetime(folder) {}
    }

    @Test("Requests at different steps share batches, and each ends with its own")
    func many() throws {
        let (fixture, folder) = try fixture()
        let calls = try (1...20).map { try call("once", Int32($0 * 3), on: fixture) }
        for (index, call) in calls.enumerated() {
            #expect(int32s(end(of: call).responses.last?.outputs["OUT"]).first == Int32(index * 3 + 2))
        }
        withExtendedLifetime(folder) {}
    }

    @Test("A decoupled model answers at each step; the request goes back to its program once, at the end")
    func stream() throws {
        let (fixture, folder) = try fixture()
        let seen = end(of: try call("stream", 5, 1, on: fixture))
        #expect(seen.responses.map { int32s($0.outputs["OUT"]).first } == [0, 1, 2, 3, 4])
        #expect(seen.responses.map { int32s($0.outputs["OUT"]).last } == [1, 0, 0, 0, 0])
        #expect(seen.responses.map(\.isFinal) == [false, false, false, false, true])
        #expect(seen.events.count { $0.hasPrefix("release") } == 1)
        #expect(seen.allocated == seen.freed)
        withExtendedLifetime(folder) {}
    }

    @Test("Where the model has no iterative sequences, the request ends with that, unless the backend answers it")
    func refused() throws {
        let (fixture, folder) = try fixture()
        let seen = end(of: try call("plain", 2, sequence: 7, on: fixture))
        #expect(
            seen.responses.last?.error?.message
                == "Request is released with TRITONSERVER_REQUEST_RELEASE_RESCHEDULE, while the model is not "
                + "configured to handle such a flag.")
        let answered = end(of: try call("plain", 2, 2, sequence: 8, on: fixture))
        #expect(int32s(answered.responses.last?.outputs["OUT"]) == [0, 1, 8, 1])
        withExtendedLifetime(folder) {}
    }

    @Test("One that is cancelled between two steps ends, and one that never ends does not hold the server up")
    func cancelled() throws {
        let (fixture, folder) = try fixture()
        let endless = try call("stream", .max, 1, on: fixture)
        endless.seen.wait { $0.responses.count > 3 }
        try check(TRITONSERVER_InferenceRequestCancel(endless.request))
        #expect(end(of: endless).responses.last?.error?.message.contains("cancelled") == true)
        _ = end(of: try call("stream", 2, on: fixture))

        let other = try call("once", .max, on: fixture)
        try check(TRITONSERVER_ServerSetExitTimeout(fixture.server, 1))
        // On a busy machine the exit timeout is over before the next step, and that is said.
        try? fixture.delete()
        #expect(end(of: other).responses.last?.error?.message.contains("was stopped before") == true)
        withExtendedLifetime(folder) {}
    }
}
