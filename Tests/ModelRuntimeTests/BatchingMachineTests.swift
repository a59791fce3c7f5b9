import HalcyonTestKit
import ModelConfigurations
import Scheduling
import Tensors
import Testing

@testable import ModelRuntime

@Suite("Machine of batches")
struct BatchingMachineTests {
    private static func machine(
        maxQueueSize: Int = 0, preservesOrdering: Bool = false, eager: Bool = false
    ) -> BatchingMachine {
        var configuration = ModelConfiguration(name: "test")
        configuration.maxBatchSize = 2
        configuration.dynamicBatching = DynamicBatching(preserveOrdering: preservesOrdering)
        configuration.optimization.eagerBatching = eager
        var options = SchedulingOptions(configuration)
        options.levels[0].maxQueueSize = maxQueueSize
        options.levels[0].allowTimeoutOverride = true
        return BatchingMachine(options: options, instanceCount: 1)
    }

    private static func pending(_ id: String) throws -> PendingRequest {
        var request = try ExecutorFixture.request(0)
        request.id = id
        return PendingRequest(
            request, RequestValidator.Validated(inputs: request.inputs, batchSize: 1, shape: .fixed), arrival: 0,
            handler: { _ in })
    }

    /// Hands one in whose caller does not run it.
    private static func add(
        _ id: String, to machine: inout BatchingMachine, timeout: UInt64 = 0, _ effects: inout Effects
    ) throws -> (handle: RequestHandle, followUp: BatchingMachine.FollowUp) {
        let queued = QueuedRequest(id: 0, enqueueTime: 0, requestedTimeout: timeout)
        return try machine.enqueue(try pending(id), queued, callerMayRun: false, &effects).get()
    }

    @Test("The requests themselves come back, in order, with their turns where answers keep an order")
    func batch() throws {
        var machine = Self.machine(preservesOrdering: true)
        var effects = Effects()
        _ = try Self.add("a", to: &machine, &effects)
        _ = try Self.add("b", to: &machine, &effects)
        #expect(effects.wake == 0 && effects.furtherWakes.isEmpty)
        guard case .run(let batch) = machine.next(instance: 0, now: 1, &effects).step else {
            Issue.record("nothing to run")
            return
        }
        #expect(batch.requests.map(\.request.id) == ["a", "b"] && batch.size == 2)
        #expect(batch.requests.map(\.turn) == [0, 1].map { ResponseTurn(lane: 0, number: $0) })
    }

    @Test("What is refused leaves nothing behind, and says why")
    func refusal() throws {
        var machine = Self.machine(maxQueueSize: 1)
        var effects = Effects()
        _ = try Self.add("a", to: &machine, &effects)
        let full = #expect(throws: Refusal.self) { try Self.add("b", to: &machine, &effects) }
        #expect(full?.cause == .rejected(.queueFull))
        #expect(machine.abandon().map(\.request.id) == ["a"])
        machine.drain()
        let stopping = #expect(throws: Refusal.self) { try Self.add("c", to: &machine, &effects) }
        #expect(stopping?.cause == .rejected(.stopping) && machine.isDrained)
    }

    @Test("Timeouts end requests with a reason; a cancelled one is found once")
    func endings() throws {
        var machine = Self.machine()
        var effects = Effects()
        _ = try Self.add("a", to: &machine, timeout: 10, &effects)
        let handle = try Self.add("b", to: &machine, timeout: 20, &effects).handle
        #expect(machine.nextExpiry() == 10)
        machine.expire(now: 15, &effects)
        #expect(effects.endings.map { $0.requests.map(\.request.id) } == [["a"]])
        #expect(effects.endings.first?.cause == .rejected(.timeout))
        #expect(machine.cancel(handle, now: 16, &effects)?.request.id == "b")
        #expect(machine.cancel(handle, now: 17, &effects) == nil && machine.nextExpiry() == nil)
    }

    @Test("A batch that is gathered ahead stays in the machine until a worker takes it")
    func ahead() throws {
        var machine = Self.machine(eager: true)
        var effects = Effects()
        _ = try Self.add("a", to: &machine, &effects)
        _ = machine.next(instance: 0, now: 1, &effects)
        _ = try Self.add("b", to: &machine, &effects)
        guard case .prepare(let batch, let requests) = try Self.add("c", to: &machine, &effects).followUp else {
            Issue.record("nothing is gathered ahead")
            return
        }
        #expect(requests.map(\.id) == ["b", "c"] && machine.waitingCount == 2)
        machine.prepared(batch, &effects)
        guard case .run(let next) = machine.next(instance: 0, now: 2, &effects).step else {
            Issue.record("nothing to run")
            return
        }
        #expect(next.requests.map(\.request.id) == ["b", "c"])
    }

    @Test("Numbers of requests are used again, and none leads to two")
    func table() throws {
        var table = RequestTable<PendingRequest>()
        let (first, second) = (table.add(try Self.pending("a")), table.add(try Self.pending("b")))
        #expect(table.remove(first)?.id == "a" && table.count == 1)
        #expect(table.add(try Self.pending("c")) == first && table.request(first)?.id == "c")
        #expect(table.request(second)?.id == "b" && table.request(7) == nil)
    }
}
