import CTriton
import Glibc
import HalcyonTestKit
import Tensors
import Testing
import Threads

@Suite("How long what C programs hold lives")
struct RequestLifeTests {
    /// A request that hands itself in again, and how often yet.
    private final class Again: Sendable {
        let server: UInt
        let left = Locked(10)
        let seen: Seen

        init(_ server: OpaquePointer, _ seen: Seen) {
            self.server = UInt(bitPattern: server)
            self.seen = seen
        }
    }

    @Test("A request may be handed in again from inside its release callback", arguments: ["echo", "slow", "stream"])
    func inRelease(model: String) throws {
        let delay = "\nparameters { key: \"execute_delay_ms\" value { string_value: \"1\" } }"
        let fixture = try Fixture([
            "echo": Fixture.echo, "slow": Fixture.echo + delay, "stream": Fixture.stream,
        ])
        let call = try Call(fixture, model)
        if model == "stream" {
            try call.add([7], shape: [1])
            try call.add([0], to: "DELAY", shape: [1], type: TRITONSERVER_TYPE_UINT32)
            try call.add([0], to: "WAIT", shape: [1], type: TRITONSERVER_TYPE_UINT32)
        } else {
            try call.add([7])
        }
        let again = Again(fixture.server, call.seen)
        let release: TRITONSERVER_InferenceRequestReleaseFn_t = { request, _, userp in
            guard let again = userp.map({ Unmanaged<Again>.fromOpaque($0).takeUnretainedValue() }) else { return }
            let goesOn = again.left.withLock { left in
                left -= 1
                return left > 0
            }
            let server = OpaquePointer(bitPattern: again.server)
            let error = goesOn ? failure(TRITONSERVER_ServerInferAsync(server, request, nil)) : nil
            again.seen.change { seen in
                seen.releases += 1
                if let error { seen.events.append(error.message) }
            }
        }
        try check(
            TRITONSERVER_InferenceRequestSetReleaseCallback(
                call.request, release, Unmanaged.passUnretained(again).toOpaque()))
        try call.infer(on: fixture)
        let seen = call.seen.wait { state in
            !state.events.allSatisfy { $0 == "final" || $0 == "response" }
                || state.releases == 10 && state.responses.count { $0.isFinal } == 10
        }
        #expect(seen.events.allSatisfy { $0 == "final" || $0 == "response" }, "\(seen.events)")
        withExtendedLifetime(again) {}
    }

    @Test("A response keeps its outputs when its request, its allocator and its server are gone")
    func response() throws {
        let kept = Kept()
        let respond: TRITONSERVER_InferenceResponseCompleteFn_t = { response, _, userp in
            let kept = userp.map { Unmanaged<Kept>.fromOpaque($0).takeUnretainedValue() }
            kept?.response.withLock { $0 = response.map { UInt(bitPattern: $0) } }
            kept?.changed.notify()
        }
        let seen = Seen()
        do {
            let fixture = try Fixture()
            let call = try Call(fixture)
            try call.add([1, 2])
            try check(TRITONSERVER_InferenceRequestSetReleaseCallback(call.request, Program.release, seen.pointer))
            try check(
                TRITONSERVER_InferenceRequestSetResponseCallback(
                    call.request, call.allocator, seen.pointer, respond, Unmanaged.passUnretained(kept).toOpaque()))
            try call.infer(on: fixture)
            kept.wait()
            seen.wait { $0.releases == 1 }
            try fixture.delete()
        }
        let response = try #require(kept.response.withLock { $0 }.flatMap { OpaquePointer(bitPattern: $0) })
        #expect(int32s(Program.outputs(of: response).0["OUT"]) == [1, 2])
        #expect(seen.value.freed == 0)
        try check(TRITONSERVER_InferenceResponseDelete(response))
        #expect(seen.value.freed == 1)
    }

    /// A response that a program keeps.
    private final class Kept: Sendable {
        let response = Locked<UInt?>(nil)
        let changed = Signal()

        func wait() {
            _ = changed.wait(until: nil, clock: SystemClock()) { self.response.withLock { $0 != nil } }
        }
    }

    @Test("A request that is deleted while it is under way is answered, and not given back")
    func deletedUnderWay() throws {
        let delay = "\nparameters { key: \"execute_delay_ms\" value { string_value: \"20\" } }"
        let fixture = try Fixture(["slow": Fixture.echo + delay])
        let call = try Call(fixture, "slow")
        try call.add([1])
        try call.infer(on: fixture)
        try check(TRITONSERVER_InferenceRequestDelete(call.request))
        #expect(failure(TRITONSERVER_InferenceRequestDelete(call.request))?.code == .invalidArgument)
        let seen = call.seen.wait { $0.responses.count == 1 }
        #expect(int32s(seen.responses[0].outputs["OUT"]) == [1])
        try fixture.delete()
        #expect(call.seen.value.releases == 0)
    }
}
