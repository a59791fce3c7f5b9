import HalcyonTestKit
import Logging
import ModelConfigurations
import ModelRuntime
import Scheduling
import Tensors
import Testing
import Threads

@Suite("Sequence executor")
struct SequenceExecutorTests {
    private static let second: UInt64 = 1_000_000_000

    private static func oldest(
        candidates: Int = 8, preservesOrdering: Bool = false
    ) -> SequenceBatching {
        var sequences = SequenceBatching(
            strategy: .oldest(
                maxCandidateSequences: candidates, preferredBatchSizes: [], maxQueueDelay: .zero,
                preserveOrdering: preservesOrdering))
        sequences.maxSequenceIdleMicroseconds = 3_600_000_000
        return sequences
    }

    private static var direct: SequenceBatching {
        var sequences = SequenceBatching(strategy: .direct(maxQueueDelay: .zero, minimumSlotUtilization: 0))
        sequences.maxSequenceIdleMicroseconds = 3_600_000_000
        return sequences
    }

    // MARK: States

    /// With a state `SEEN` that grows by one element with each request: its length comes out.
    private static func growing(_ sequences: SequenceBatching) -> SequenceBatching {
        var sequences = sequences
        var state = SequenceBatching.State(
            inputName: "SEEN", outputName: "SEEN_OUT", elementType: .fp32, dimensions: [-1])
        state.initial = SequenceBatching.Initial(name: "one", dimensions: [1])
        sequences.states = [state]
        sequences.controls = [.init(inputName: "READY", kind: .ready, elementType: .fp32)]
        return sequences
    }

    private static func grow(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        let length = try batch.input("SEEN").shape.dimensions[1]
        let count = batch.batchSize
        return [
            try Tensor(
                name: "OUT", shape: [count, 4], [Float](repeating: Float(length), count: 4 * count)),
            try Tensor(
                name: "SEEN_OUT", shape: [count, length + 1], [Float](repeating: 0, count: count * (length + 1))),
        ]
    }

    @Test("Batches count the rows that the model ran on, inferences the requests")
    func statistics() throws {
        let fixture = try SequenceFixture(Self.direct, script: ScriptedBackend.echo())
        try fixture.submit(0, of: 1, start: true)
        #expect(fixture.values(1).count == 1)
        for step in 0..<3 {
            try fixture.submit(0, of: 2, start: step == 0, end: step == 2)
            #expect(fixture.values(step + 2).count == step + 2)
        }
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.batches.map(\.batchSize) == [1, 2])
        #expect(statistics.batches.map(\.computeInfer.count) == [1, 3])
        #expect(statistics.inferenceCount == 4 && statistics.executionCount == 4 && statistics.success.count == 4)
        fixture.stop()
    }

    @Test("Errors of sequences are told as they are; only that too many wait names the request")
    func errorTexts() throws {
        let fixture = try SequenceFixture(Self.direct, script: ScriptedBackend.echo())
        try fixture.submit(0, of: 5)
        #expect(fixture.message(0).hasPrefix("inference request for sequence 5 to model 'test' must specify the START"))
        try fixture.submit(0, of: 5, start: true, elements: 3)
        #expect(fixture.message(1).hasPrefix("[request id: 0.0] "))
        fixture.stop()
    }

    @Test("States that have become different keep sequences apart and fail none", arguments: [true, false])
    func openStates(isDirect: Bool) throws {
        let gate = Gate()
        let readiness = Collected<[Float]>()
        let isHeld = Locked(false)
        let fixture = try SequenceFixture(Self.growing(isDirect ? Self.direct : Self.oldest())) { batch, _ in
            if isHeld.withLock({ $0 }) { gate.pass() }
            readiness.add(try batch.input("READY").elements(as: Float.self))
            return try Self.grow(&batch)
        }
        // Three sequences: the states of the first two are 2 long, that of the third is 3.
        for id in UInt64(1)...3 { try fixture.submit(0, of: id, start: true) }
        try fixture.submit(0, of: 3)
        #expect(fixture.values(4).compactMap(\.self).sorted() == [1, 1, 1, 2])
        // One request holds the instance until the others wait side by side.
        isHeld.withLock { $0 = true }
        try fixture.submit(0, of: 4, start: true)
        gate.waitForArrivals(1)
        let before = readiness.values.count
        for id in UInt64(1)...3 { try fixture.submit(0, of: id, end: true) }
        gate.open()
        #expect(fixture.values(8).suffix(3).compactMap(\.self).sorted() == [2, 2, 3])
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.success.count == 8 && statistics.fail.count == 0)
        let told = Array(readiness.values.dropFirst(before + 1))
        #expect(told == (isDirect ? [[1, 1], [0, 0, 1]] : [[1, 1], [1]]))
        fixture.stop()
    }

    @Test("A state of open dimensions begins with one zero, and a file may have more bytes than it takes")
    func beginnings() throws {
        for (file, expected) in [(nil, 0), ([0, 0, 0x80, 0x3F, 9, 9, 9, 9], 1)] as [([UInt8]?, Float)] {
            var sequences = Self.growing(Self.direct)
            sequences.states[0].initial =
                file.map { _ in SequenceBatching.Initial(name: "one", dimensions: [1], file: "one") }
            let begun = Collected<[Float]>()
            let fixture = try SequenceFixture(sequences, initialStates: file.map { ["SEEN": $0] } ?? [:]) { batch, _ in
                begun.add(try batch.input("SEEN").elements(as: Float.self))
                return try Self.grow(&batch)
            }
            try fixture.submit(0, of: 1, start: true)
            #expect(fixture.values(1) == [1])
            #expect(begun.values == [[expected]])
            fixture.stop()
        }
        var short = Self.growing(Self.direct)
        short.states[0].initial?.file = "one"
        let error = #expect(throws: HalcyonError.self) {
            try SequenceFixture(short, initialStates: ["SEEN": [1, 2, 3]]) { batch, _ in try Self.grow(&batch) }
        }
        #expect(error?.message.contains("its file has 3 bytes") == true)
    }

    @Test("A sample may say itself what the sequence batcher makes")
    func sampleOfControls() throws {
        let told = Collected<[Float]>()
        let fixture = try SequenceFixture(Self.growing(Self.direct)) { batch, _ in
            let ready = try batch.input("READY").elements(as: Float.self)
            told.add(ready + (try batch.input("SEEN").elements(as: Float.self)))
            return try Self.grow(&batch)
        }
        let input = try Tensor(name: "IN", shape: [1, 4], [1, 2, 3, 4] as [Float])
        let sample = WarmUpItem(
            name: "sample", batchSize: 2, count: 1, inputs: [input],
            controls: [
                try Tensor(name: "READY", shape: [1, 1], [7] as [Float]),
                try Tensor(name: "SEEN", shape: [1, 1], [5] as [Float]),
            ])
        try fixture.executor.warmUp(WarmUpPlan(samples: [sample], isAutomatic: false))
        #expect(told.values == [[7, 7, 5, 5]])
        fixture.stop()
    }

    @Test("What a sequence begins with must fit into memory")
    func largeState() throws {
        var sequences = Self.direct
        sequences.states = [
            SequenceBatching.State(
                inputName: "S", outputName: "S_OUT", elementType: .fp32, dimensions: [1_000_000_000_000])
        ]
        let error = #expect(throws: HalcyonError.self) {
            try SequenceFixture(sequences, script: ScriptedBackend.echo())
        }
        #expect(
            error?.message
                == "model 'test', the initial state of 'S': its shape [1,1000000000000] takes 4000000000000 bytes, "
                + "and the states of a sequence may begin with 1073741824 together")
    }

    @Test("The state of a sequence that ends by being idle is let go of, though nobody takes its slot")
    func endedStates() throws {
        final class Weak: @unchecked Sendable { weak var storage: TensorStorage? }
        let clock = ManualClock()
        let seen = Weak()
        let ended = Collected<String>()
        var sequences = Self.growing(Self.oldest())
        sequences.maxSequenceIdleMicroseconds = 1000
        let fixture = try SequenceFixture(sequences, clock: clock) { batch, _ in
            guard try batch.input("IN").elements(as: Float.self)[0] != 7 else {
                // Alone in its batch: this is the executor's own memory, which it keeps as the request fails.
                seen.storage = try batch.input("SEEN").data.storage
                throw HalcyonError(.internal, "seven")
            }
            return try Self.grow(&batch)
        } adjust: {
            $0.environment.log = Logger(label: "test", factory: { _ in CollectingLog(messages: ended) })
        }
        try fixture.submit(0, of: 1, start: true)
        _ = fixture.values(1)
        try fixture.submit(0, of: 2, start: true)
        _ = fixture.values(2)
        try fixture.submit(7, of: 2)
        _ = fixture.values(3)
        #expect(seen.storage != nil)
        clock.waitForSleeper(until: clock.now() + 1_000_000)
        clock.advance(by: 1_000_000)
        while ended.values.count(where: { $0 == "sequence ended, as it was idle" }) < 2 {
            _ = ended.wait(for: ended.values.count + 1)
        }
        // It gets the first slot; the other one stays empty.
        try fixture.submit(0, of: 3, start: true)
        #expect(fixture.values(4).last == 1)
        #expect(seen.storage == nil)
        fixture.stop()
    }

    // MARK: Order

    @Test("Responses leave in the order of turns where the configuration wants that", arguments: [true, false])
    func ordering(preservesOrdering: Bool) throws {
        let gate = Gate()
        let fixture = try SequenceFixture(
            Self.oldest(preservesOrdering: preservesOrdering), dimensions: [-1]
        ) { batch, identity in
            gate.pass()
            return try ScriptedBackend.echo()(&batch, identity)
        }
        try fixture.submit(0, of: 9, start: true)
        gate.waitForArrivals(1)
        try fixture.submit(1, of: 1, start: true, elements: 2)
        let cancelled = try fixture.submit(2, of: 2, start: true, elements: 3)
        try fixture.submit(3, of: 3, start: true, elements: 2)
        try fixture.submit(4, of: 4, start: true, elements: 3)
        try fixture.submit(5, of: 5, start: true, elements: 2)
        cancelled?.cancel()
        gate.open()
        let values = fixture.values(6)
        #expect(values.compactMap(\.self).sorted() == [0, 1, 3, 4, 5])
        #expect(fixture.backend.executedBatchSizes.reduce(0, +) == 5)
        if preservesOrdering { #expect(values == [0, 1, nil, 3, 4, 5]) }
        fixture.stop()
    }

    // MARK: Instances that hang

    private static func hanging(
        _ gate: Gate, clock: ManualClock, instances: Int = 1
    ) throws -> SequenceFixture {
        let isFirst = Locked(true)
        var sequences = growing(direct)
        sequences.maxSequenceIdleMicroseconds = 3_600_000_000
        return try SequenceFixture(sequences, maxBatchSize: 2, instances: instances, clock: clock) { batch, _ in
            if isFirst.withLock({ isFirst in
                defer { isFirst = false }
                return isFirst
            }) {
                gate.pass()
            }
            return try grow(&batch)
        } adjust: {
            $0.environment.executionTimeout = second
        }
    }

    @Test(
        "An instance that hangs is given up and replaced: its sequences end and say why, those that waited go on"
    )
    func replacement() throws {
        let gate = Gate()
        let clock = ManualClock()
        let fixture = try Self.hanging(gate, clock: clock)
        try fixture.submit(0, of: 1, start: true)
        gate.waitForArrivals(1)
        try fixture.submit(0, of: 2, start: true)
        try fixture.submit(0, of: 3, start: true)
        clock.waitForSleeper(until: clock.now() + Self.second)
        #expect(fixture.executor.complaint == nil)
        clock.advance(by: Self.second)
        let values = fixture.values(3)
        #expect(values.filter { $0 == nil }.count == 2 && values.contains(1), "the third had no slot")
        #expect(
            fixture.message(0)
                == "instance 'test_0' of model 'test' has not answered for 1000 ms and is given up, and "
                + "its sequences have ended")
        try fixture.submit(0, of: 1)
        #expect(
            fixture.message(3)
                == "sequence 1 to model 'test' has ended, as the instance that held it was given up, or "
                + "its worker process is gone: the next request must specify the START flag")
        try fixture.submit(0, of: 1, start: true)
        try fixture.submit(0, of: 1)
        try fixture.submit(0, of: 3)
        #expect(fixture.values(7).suffix(3).compactMap(\.self).sorted() == [1, 2, 2])
        #expect(fixture.executor.complaint == nil)
        // Should the thread come back, its answer is nobody's.
        gate.open()
        fixture.stop()
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.success.count == 4 && statistics.fail.count == 3 && fixture.outcomes.values.count == 7)
    }

    @Test("While the replacement fails the model complains, and another instance serves what comes")
    func failingReplacement() throws {
        let gate = Gate()
        let clock = ManualClock()
        let fixture = try Self.hanging(gate, clock: clock, instances: 2)
        fixture.backend.refusal.withLock { $0 = HalcyonError(.unavailable, "no memory") }
        try fixture.submit(0, of: 1, start: true)
        gate.waitForArrivals(1)
        let start = clock.now()
        clock.waitForSleeper(until: start + Self.second)
        clock.advance(by: Self.second)
        clock.waitForSleeper(until: start + 2 * Self.second)
        #expect(fixture.executor.complaint == "instance 'test_0' can't be replaced: no memory")
        for id in UInt64(2)...4 { try fixture.submit(0, of: id, start: true) }
        #expect(fixture.values(3).suffix(2).allSatisfy { $0 == 1 }, "the other instance has two slots")
        fixture.backend.refusal.withLock { $0 = nil }
        clock.advance(by: Self.second)
        #expect(fixture.values(4).last == 1)
        gate.open()
        fixture.stop()
    }

    @Test(
        "A model that is stopped without an instance left gives up what waits, without the pause before a replacement",
        .timeLimit(.minutes(1)), arguments: [true, false])
    func stoppingDeserted(isLostBefore: Bool) throws {
        let gate = Gate()
        let clock = ManualClock()
        let fixture = try Self.hanging(gate, clock: clock)
        fixture.backend.refusal.withLock { $0 = HalcyonError(.unavailable, "no memory") }
        for id in UInt64(1)...3 { try fixture.submit(0, of: id, start: true) }
        gate.waitForArrivals(1)
        let start = clock.now()
        let deadline = start + 100 * Self.second
        clock.waitForSleeper(until: start + Self.second)
        if isLostBefore {
            clock.advance(by: Self.second)
            clock.waitForSleeper(until: start + 2 * Self.second)
        }
        let stopper = try WorkerThread(name: "stop") { fixture.executor.stop(deadline: deadline) }
        if !isLostBefore {
            clock.waitForSleeper(until: deadline)
            clock.advance(by: Self.second)
        }
        #expect(fixture.values(3).allSatisfy { $0 == nil })
        stopper.join()
        gate.open()
        fixture.timer.stop()
    }
}

/// A log that a test can wait for.
private struct CollectingLog: LogHandler {
    let messages: Collected<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { messages.add("\(event.message)") }
}
