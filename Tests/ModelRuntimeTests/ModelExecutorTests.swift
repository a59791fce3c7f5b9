import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import Scheduling
import Tensors
import Testing
import Threads

private typealias Outcome = Result<InferenceResponse, HalcyonError>

extension Result where Success == InferenceResponse, Failure == HalcyonError {
    /// The elements of the output `OUT`; `nil` for a failure.
    fileprivate var elements: [Float]? {
        guard case .success(let response) = self else { return nil }
        return try? response.output("OUT").elements(as: Float.self)
    }

    fileprivate var error: HalcyonError? {
        guard case .failure(let error) = self else { return nil }
        return error
    }
}

extension ExecutorFixture {
    fileprivate func submit(_ request: InferenceRequest, to outcomes: Collected<Outcome>) -> (any SubmittedRequest)? {
        executor.submit(request, from: .nonBlocking) { outcomes.add($0) }
    }
}

@Suite("Model executor")
struct ModelExecutorTests {
    @Test("Requests that wait share a batch, and each gets its own rows")
    func batching() throws {
        let gate = Gate()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(batching: DynamicBatching())) {
            gate.pass()
            return try echo(&$0, $1)
        }
        defer { fixture.stop() }
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(0), to: outcomes)
        gate.waitForArrivals(1)
        for value in 1...3 { _ = fixture.submit(try ExecutorFixture.request(Float(value), items: value), to: outcomes) }
        gate.open()
        let all = outcomes.wait(for: 4)
        #expect(fixture.backend.executedBatchSizes == [1, 6])
        for value in 1...3 {
            #expect(all[value].elements == [Float](repeating: Float(value), count: 4 * value))
        }
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.inferenceCount == 7 && statistics.executionCount == 2)
        #expect(statistics.success.count == 4 && statistics.batches.map(\.batchSize) == [1, 6])
        #expect(statistics.batches.map(\.queue.count) == [1, 3])
        #expect(statistics.batchReasons == [.instanceFree: 2])
    }

    @Test("A single request's bytes reach the instance as they are, and its output comes back uncopied")
    func zeroCopy() throws {
        let seen = Collected<UInt>()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration()) {
            seen.add(UInt(bitPattern: $0.inputs[0].data.baseAddress))
            return try echo(&$0, $1)
        }
        defer { fixture.stop() }
        let request = try ExecutorFixture.request(3)
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(request, to: outcomes)
        let response = try outcomes.wait(for: 1)[0].get()
        let address = UInt(bitPattern: request.inputs[0].data.baseAddress)
        #expect(seen.values == [address])
        #expect(UInt(bitPattern: try response.output("OUT").data.baseAddress) == address)
    }

    @Test("Where a batch's outputs are held, the next batch does not write over them")
    func heldOutputs() throws {
        let gate = Gate()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(maxBatchSize: 2, batching: DynamicBatching())) {
            gate.pass()
            return try echo(&$0, $1)
        }
        defer { fixture.stop() }
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(0), to: outcomes)
        gate.waitForArrivals(1)
        for value in 1...6 { _ = fixture.submit(try ExecutorFixture.request(Float(value)), to: outcomes) }
        gate.open()
        let all = outcomes.wait(for: 7)
        for value in 0...6 { #expect(all[value].elements == [Float](repeating: Float(value), count: 4)) }
        #expect(fixture.backend.executedBatchSizes == [1, 2, 2, 2])
    }

    @Test("Where nobody holds it any more, the memory of a batch serves the next one")
    func gatherBuffer() throws {
        let gates = [Gate(), Gate()]
        let addresses = Collected<UInt>()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(batching: DynamicBatching())) { batch, _ in
            let input = try batch.input("IN")
            let first = try input.elements(as: Float.self)[0]
            if first < 2 { gates[Int(first)].pass() }
            if batch.batchSize > 1 { addresses.add(UInt(bitPattern: input.data.baseAddress)) }
            let zeros = [Float](repeating: 0, count: 4 * batch.batchSize)
            return [try Tensor(name: "OUT", shape: [batch.batchSize, 4], zeros)]
        }
        defer { fixture.stop() }
        let outcomes = Collected<Outcome>()
        for (round, gate) in gates.enumerated() {
            _ = fixture.submit(try ExecutorFixture.request(Float(round)), to: outcomes)
            gate.waitForArrivals(1)
            for _ in 0..<3 { _ = fixture.submit(try ExecutorFixture.request(5), to: outcomes) }
            gate.open()
            _ = outcomes.wait(for: 4 * (round + 1))
        }
        #expect(addresses.values.count == 2 && Set(addresses.values).count == 1)
    }

    @Test("A backend that throws fails its batch and nothing else")
    func throwing() throws {
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration()) {
            if $0.inputs[0].shape.dimensions[0] == 2 { throw HalcyonError(.internal, "engine says no") }
            return try echo(&$0, $1)
        }
        defer { fixture.stop() }
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(1, items: 2), to: outcomes)
        _ = fixture.submit(try ExecutorFixture.request(1, items: 1), to: outcomes)
        let all = outcomes.wait(for: 2)
        #expect(all[0].error == HalcyonError(.internal, "engine says no"))
        #expect(all[1].elements == [1, 1, 1, 1])
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.fail.count == 1 && statistics.success.count == 1 && statistics.executionCount == 1)
    }

    @Test("Outputs that are not what the configuration promises are an error that says how")
    func wrongOutputs() throws {
        let cases: [(String, @Sendable () throws -> [Tensor])] = [
            ("returned no output 'OUT'", { [] }),
            ("as INT32, expected FP32", { [try Tensor(name: "OUT", shape: [1, 4], [1, 2, 3, 4] as [Int32])] }),
            (
                "with 8 bytes, expected 16",
                {
                    var tensor = try Tensor(name: "OUT", shape: [1, 2], [Float](repeating: 0, count: 2))
                    tensor.shape = [1, 4]
                    return [tensor]
                }
            ),
        ]
        for (expected, make) in cases {
            let fixture = try ExecutorFixture(ExecutorFixture.configuration()) { _, _ in try make() }
            defer { fixture.stop() }
            let outcomes = Collected<Outcome>()
            _ = fixture.submit(try ExecutorFixture.request(1), to: outcomes)
            let error = outcomes.wait(for: 1)[0].error
            #expect(error?.code == .internal)
            #expect(error?.message.contains(expected) == true, "\(error?.message ?? "no error")")
        }
    }

    @Test("What a model returns goes out in its own shape, whatever was declared, to a request that ran alone")
    func undeclaredShapes() throws {
        for shape in [[2, 4], [4], [1, 3], [0, 7], []] as [TensorShape] {
            let fixture = try ExecutorFixture(ExecutorFixture.configuration()) { _, _ in
                [try Tensor(name: "OUT", shape: shape, [Float](repeating: 5, count: shape.elementCount()))]
            }
            defer { fixture.stop() }
            let outcomes = Collected<Outcome>()
            _ = fixture.submit(try ExecutorFixture.request(1), to: outcomes)
            #expect(try outcomes.wait(for: 1)[0].get().output("OUT").shape == shape)
        }
    }

    @Test("Requests that share a batch get their rows whatever else was declared, and an error where there are no rows")
    func undeclaredRows() throws {
        for (hasRows, columns) in [(true, 7), (false, 4)] {
            let gate = Gate()
            let fixture = try ExecutorFixture(ExecutorFixture.configuration(batching: DynamicBatching())) { batch, _ in
                gate.pass()
                let rows = hasRows ? batch.batchSize : 5
                let values = (0..<rows).flatMap { [Float](repeating: Float($0), count: columns) }
                return [try Tensor(name: "OUT", shape: [rows, columns], values)]
            }
            defer { fixture.stop() }
            let outcomes = Collected<Outcome>()
            fixture.executor.submit(try ExecutorFixture.request(1), from: .nonBlocking, handler: { _ in })
            gate.waitForArrivals(1)
            for _ in 0..<2 {
                fixture.executor.submit(try ExecutorFixture.request(1), from: .nonBlocking) { outcomes.add($0) }
            }
            gate.open()
            let all = outcomes.wait(for: 2)
            if hasRows {
                #expect(try all.map { try $0.get().output("OUT").shape } == [[1, 7], [1, 7]])
            } else {
                let message = all[0].error?.message ?? ""
                #expect(message.contains("of shape [5,4], expected [2,4], for a batch of 2 items of 2 requests"))
                #expect(message.contains("Write max_batch_size: 0 in config.pbtxt"), "\(message)")
            }
        }
    }

    @Test("A request that waits behind a hanging backend times out at its time")
    func hangingBackend() throws {
        let gate = Gate()
        let clock = ManualClock(now: 1_000_000)
        let echo = ScriptedBackend.echo()
        var batching = DynamicBatching()
        batching.defaultQueuePolicy.defaultTimeoutMicroseconds = 50
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(batching: batching), clock: clock) {
            gate.pass()
            return try echo(&$0, $1)
        }
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(1), to: outcomes)
        gate.waitForArrivals(1)
        _ = fixture.submit(try ExecutorFixture.request(2), to: outcomes)
        clock.waitForSleeper(until: 1_050_000)
        clock.advance(by: 50_000)
        let first = outcomes.wait(for: 1)[0]
        #expect(first.error == HalcyonError(.unavailable, "Request timeout expired"))
        gate.open()
        #expect(outcomes.wait(for: 2)[1].elements == [1, 1, 1, 1])
        fixture.stop()
        let fail = fixture.executor.statistics.snapshot().fail
        #expect(fail.count == 1 && fail.nanoseconds == 50_000)
    }

    @Test("An idle worker holds a batch back to the delay and no longer")
    func delay() throws {
        let clock = ManualClock(now: 1_000_000)
        let batching = DynamicBatching(maxQueueDelayMicroseconds: 100)
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(batching: batching), clock: clock)
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(1), to: outcomes)
        clock.waitForSleeper(until: 1_100_000)
        _ = fixture.submit(try ExecutorFixture.request(2), to: outcomes)
        #expect(outcomes.values.isEmpty)
        clock.advance(by: 100_000)
        #expect(outcomes.wait(for: 2).compactMap(\.elements) == [[1, 1, 1, 1], [2, 2, 2, 2]])
        fixture.stop()
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.batchReasons == [.delayExpired: 1])
        #expect(statistics.queue.nanoseconds == 200_000, "both waited the whole delay")
    }

    @Test("A cancelled request leaves the queue at once and never runs")
    func cancel() throws {
        let gate = Gate()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration()) {
            gate.pass()
            return try echo(&$0, $1)
        }
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(1), to: outcomes)
        gate.waitForArrivals(1)
        let pending = try #require(fixture.submit(try ExecutorFixture.request(2), to: outcomes))
        pending.cancel()
        #expect(outcomes.wait(for: 1)[0].error?.code == .cancelled)
        pending.cancel()
        gate.open()
        #expect(outcomes.wait(for: 2).count == 2)
        fixture.stop()
        #expect(fixture.backend.executedBatchSizes == [1])
    }

    @Test("Responses keep the order of their requests where that is promised")
    func preserveOrdering() throws {
        let (first, third) = (Gate(), Gate())
        let echo = ScriptedBackend.echo()
        let batching = DynamicBatching(preserveOrdering: true)
        let fixture = try ExecutorFixture(
            ExecutorFixture.configuration(maxBatchSize: 2, batching: batching), instances: 2
        ) {
            switch try $0.input("IN").elements(as: Float.self)[0] {
            case 1: first.pass()
            case 3: third.pass()
            default: break
            }
            return try echo(&$0, $1)
        }
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(1, items: 2), to: outcomes)
        first.waitForArrivals(1)
        _ = fixture.submit(try ExecutorFixture.request(2, items: 2), to: outcomes)
        _ = fixture.submit(try ExecutorFixture.request(3, items: 2), to: outcomes)
        // The only free worker has come to the third, so it is done with the second.
        third.waitForArrivals(1)
        #expect(outcomes.values.isEmpty)
        first.open()
        third.open()
        #expect(outcomes.wait(for: 3).compactMap { $0.elements?.first } == [1, 2, 3])
        fixture.stop()
    }

    @Test("A caller that waits runs its request on its own thread where the model allows it")
    func callerThread() throws {
        for mayRun in [true, false] {
            let threads = Collected<UInt>()
            let echo = ScriptedBackend.echo()
            let fixture = try ExecutorFixture(ExecutorFixture.configuration(), mayRunOnCallerThread: mayRun) {
                threads.add(currentThread())
                return try echo(&$0, $1)
            }
            let outcomes = Collected<Outcome>()
            fixture.executor.submit(try ExecutorFixture.request(1), from: .blocking) { outcomes.add($0) }
            #expect(outcomes.wait(for: 1)[0].elements == [1, 1, 1, 1])
            #expect((threads.values == [currentThread()]) == mayRun)
            fixture.stop()
        }
    }

    @Test("A handler that hands in the next request, again and again, does not grow the stack")
    func chain() throws {
        let fixture = try ExecutorFixture(
            ExecutorFixture.configuration(), instances: 2, mayRunOnCallerThread: true)
        let last = Collected<Int>()
        let request = try ExecutorFixture.request(1)
        @Sendable func next(_ number: Int) {
            fixture.executor.submit(request, from: .blocking) { _ in
                if number == 50_000 { last.add(number) } else { next(number + 1) }
            }
        }
        next(1)
        #expect(last.wait(for: 1) == [50_000])
        fixture.stop()
    }

    @Test("Stopping finishes what waits; past the deadline it drops the rest and says how much")
    func stopping() throws {
        let gate = Gate()
        let clock = ManualClock()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(), clock: clock) {
            gate.pass()
            return try echo(&$0, $1)
        }
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(1), to: outcomes)
        gate.waitForArrivals(1)
        _ = fixture.submit(try ExecutorFixture.request(2), to: outcomes)
        #expect(fixture.executor.stop(deadline: clock.now()) == 1)
        #expect(outcomes.wait(for: 1)[0].error?.code == .unavailable)
        _ = fixture.submit(try ExecutorFixture.request(3), to: outcomes)
        #expect(outcomes.wait(for: 2)[1].error?.code == .unavailable)
        gate.open()
        #expect(outcomes.wait(for: 3)[2].elements == [1, 1, 1, 1], "what ran is not interrupted")
        fixture.stop()
    }

    @Test("Every instance works, none twice at a time, and every request is answered once")
    func hammer() throws {
        let inside = Collected<Int>()
        let echo = ScriptedBackend.echo()
        let busy = (0..<3).map { _ in Exclusive() }
        let fixture = try ExecutorFixture(
            ExecutorFixture.configuration(batching: DynamicBatching()), instances: 3, mayRunOnCallerThread: true
        ) { batch, identity in
            try busy[identity.index].run { try echo(&batch, identity) }
        }
        let threads = try (0..<8).map { thread in
            try WorkerThread(name: "caller") {
                for index in 0..<200 {
                    let value = Float(thread * 1000 + index)
                    let outcome = Collected<Outcome>()
                    guard let request = try? ExecutorFixture.request(value) else { continue }
                    fixture.executor.submit(request, from: index % 2 == 0 ? .blocking : .nonBlocking) {
                        outcome.add($0)
                    }
                    if outcome.wait(for: 1)[0].elements == [value, value, value, value] { inside.add(1) }
                }
            }
        }
        for thread in threads { thread.join() }
        fixture.stop()
        #expect(inside.values.count == 1600)
        #expect(busy.allSatisfy { !$0.wasShared })
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.inferenceCount == 1600)
        #expect(statistics.executionCount == statistics.batches.reduce(0) { $0 + $1.computeInfer.count })
        #expect(
            statistics.inferenceCount
                == statistics.batches.reduce(0) { $0 + UInt64($1.batchSize) * $1.computeInfer.count })
    }
}
