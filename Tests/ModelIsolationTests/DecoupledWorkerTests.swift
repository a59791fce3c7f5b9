import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import RepeatBackend
import Synchronization
import Tensors
import Testing
import Threads

@testable import ModelIsolation

@Suite("Decoupled models in workers")
struct DecoupledWorkerTests {
    private static func configuration() -> ModelConfiguration {
        var configuration = ModelConfiguration(name: "m")
        configuration.backend = "repeat"
        configuration.isDecoupled = true
        configuration.inputs = [
            TensorConfiguration(name: "IN", elementType: .fp32, dimensions: [-1]),
            TensorConfiguration(name: "DELAY", elementType: .uint32, dimensions: [-1]),
            TensorConfiguration(name: "WAIT", elementType: .uint32, dimensions: [1]),
        ]
        configuration.outputs = [TensorConfiguration(name: "OUT", elementType: .fp32, dimensions: [1])]
        return configuration
    }

    private enum Event: Equatable {
        case response(Float)
        case end(HalcyonError?)
    }

    private static func instance(_ launcher: ThreadLauncher) throws -> any DecoupledModelInstance {
        let model = try Fixture.model(launcher, wrapping: RepeatEngine(), configuration())
        return try #require(try model.makeInstance(Fixture.identity) as? any DecoupledModelInstance)
    }

    private static func request(
        _ values: [Float], delays: [UInt32]? = nil, wait: UInt32? = nil, _ events: Collected<Event>,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> DecoupledRequest {
        var inputs = [try Tensor(name: "IN", shape: [values.count], values)]
        if let delays { inputs.append(try Tensor(name: "DELAY", shape: [delays.count], delays)) }
        if let wait { inputs.append(try Tensor(name: "WAIT", shape: [1], [wait])) }
        return DecoupledRequest(
            id: "r", inputs: inputs, requestedOutputs: [],
            sink: DecoupledRequest.Sink(
                send: { outputs throws(HalcyonError) in
                    events.add(.response(try outputs[0].elements(as: Float.self)[0]))
                }, end: { events.add(.end($0)) }, isCancelled: isCancelled))
    }

    @Test("Responses come in order, and then the end")
    func responses() throws {
        let instance = try Self.instance(ThreadLauncher(backends: [RepeatEngine()]))
        for count in [0, 1, 100, 3_000] {
            let events = Collected<Event>()
            let values = (0..<count).map { Float($0) }
            try instance.execute(try Self.request(values, events))
            #expect(events.wait(for: count + 1) == values.map { .response($0) } + [.end(nil)])
        }
    }

    @Test("A request outlives the call that began it, beside others")
    func overlap() throws {
        let instance = try Self.instance(ThreadLauncher(backends: [RepeatEngine()]))
        let (slow, quick) = (Collected<Event>(), Collected<Event>())
        try instance.execute(try Self.request([1, 2], delays: [0, 100], wait: 0, slow))
        try instance.execute(try Self.request([3], wait: 0, quick))
        #expect(quick.wait(for: 2) == [.response(3), .end(nil)])
        #expect(slow.wait(for: 3) == [.response(1), .response(2), .end(nil)])
    }

    @Test("A caller that goes ends the model's work")
    func cancellation() throws {
        let instance = try Self.instance(ThreadLauncher(backends: [RepeatEngine()]))
        let events = Collected<Event>()
        let isGone = Locked(false)
        let request = try Self.request([1, 2], delays: [0, .max], wait: 0, events) { isGone.withLock { $0 } }
        try instance.execute(request)
        #expect(events.wait(for: 1) == [.response(1)])
        isGone.withLock { $0 = true }
        #expect(events.wait(for: 2).last == .end(HalcyonError(.cancelled, "the caller has gone")))
    }

    @Test("A worker that goes ends its requests with a sentence, and the next one serves")
    func loss() throws {
        let launcher = ThreadLauncher(backends: [RepeatEngine()])
        let instance = try Self.instance(launcher)
        let events = Collected<Event>()
        let isGone = Locked(false)
        try instance.execute(
            try Self.request([1, 2], delays: [0, .max], wait: 0, events) { isGone.withLock { $0 } })
        #expect(events.wait(for: 1) == [.response(1)])
        try #require(launcher.launched.withLock { $0.first }).kill()
        guard case .end(let error) = events.wait(for: 2).last else {
            Issue.record("the request did not end")
            return
        }
        #expect(error?.message.contains("its worker process was ended by signal 9 (SIGKILL)") == true)
        let next = Collected<Event>()
        try instance.execute(try Self.request([5], next))
        #expect(next.wait(for: 2) == [.response(5), .end(nil)])
    }
}
