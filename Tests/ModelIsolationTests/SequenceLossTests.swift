import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing
import Threads

@testable import ModelIsolation

@Suite("Sequences whose states the engine keeps, and workers that go")
struct SequenceLossTests {
    /// A model behind workers that adds up what a sequence brings. It keeps the sums by instance, as an engine would in
    /// its worker, and forgets them where a sequence starts.
    private struct Summing {
        let launcher: ThreadLauncher
        let model: IsolatedModel
        let executor: SequenceExecutor
        let timer = DeadlineTimer(clock: SystemClock())
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        /// Whether the worker is to go with the next batch.
        let isDeadly = Locked(false)

        init() throws {
            let sums = Locked<[Int: Float]>([:])
            let launched = Locked<ThreadLauncher?>(nil)
            let isDeadly = isDeadly
            let backend = ScriptedBackend { batch, identity in
                let starts: [Float] = try batch.input("START").elements()
                let values: [Float] = try batch.input("IN").elements()
                let isLast = isDeadly.withLock { isDeadly in
                    defer { isDeadly = false }
                    return isDeadly
                }
                if isLast {
                    let process = launched.withLock { $0?.launched.withLock { $0.last } }
                    process?.kill()
                    _ = process?.wait()
                    throw HalcyonError(.internal, "gone")
                }
                let sum = sums.withLock { sums in
                    let sum = (starts.first == 1 ? 0 : sums[identity.index] ?? 0) + (values.first ?? 0)
                    sums[identity.index] = sum
                    return sum
                }
                return [try Tensor(name: "OUT", shape: [1, 1], [sum])]
            }
            launcher = ThreadLauncher(backends: [backend])
            launched.withLock { [launcher] in $0 = launcher }
            var configuration = ExecutorFixture.configuration(maxBatchSize: 1, dimensions: [1])
            configuration.backend = "scripted"
            var sequences = SequenceBatching(strategy: .direct(maxQueueDelay: .zero, minimumSlotUtilization: 0))
            sequences.controls = [.init(inputName: "START", kind: .start, elementType: .fp32)]
            configuration.sequenceBatching = sequences
            model = try Fixture.model(launcher, wrapping: backend, configuration)
            executor = try SequenceExecutor(
                ModelExecutor.Parts(
                    model: model, version: 1, configuration: configuration,
                    instances: [InstanceIdentity(name: "test_0", kind: .cpu, index: 0)],
                    environment: ExecutionEnvironment(clock: SystemClock(), timer: timer, log: Fixture.log)),
                sequences, initialStates: [:])
        }

        /// Hands in a request, and waits for its answer: a sum, or a sentence.
        func answer(_ value: Float, of sequence: UInt64, start: Bool = false, end: Bool = false) throws -> String {
            var request = try ExecutorFixture.request(value, elements: 1)
            request.sequence = InferenceSequence(id: .number(sequence), isStart: start, isEnd: end)
            let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
            executor.submit(request, from: .nonBlocking) { outcomes.add($0) }
            switch outcomes.wait(for: 1)[0] {
            case .success(let response):
                let sums: [Float] = try response.output("OUT").elements()
                return sums.map { "\($0)" }.joined()
            case .failure(let error): return error.message
            }
        }

        /// The worker goes while it has nothing to do.
        func endWorker() {
            let process = launcher.launched.withLock { $0.last }
            process?.kill()
            _ = process?.wait()
        }

        func stop() {
            executor.stop(deadline: nil)
            timer.stop()
        }
    }

    @Test("A sequence that is under way ends with the worker that had its state, and is told so; others begin")
    func underWay() throws {
        let summing = try Summing()
        defer { summing.stop() }
        #expect(try summing.answer(1, of: 7, start: true) == "1.0")
        #expect(try summing.answer(2, of: 7) == "3.0")
        summing.endWorker()
        let sentence = try summing.answer(4, of: 7)
        #expect(
            sentence == "model 'test': its worker process, which had the states of the sequences of instance 'test_0', "
                + "was ended by signal 9 (SIGKILL), and its sequences have ended")
        // Its next requests do not add to a sum that is gone.
        #expect(try summing.answer(8, of: 7).contains("sequence 7 to model 'test' has ended"))
        #expect(try summing.answer(16, of: 7, start: true) == "16.0")
        #expect(try summing.answer(32, of: 7) == "48.0")
        #expect(summing.model.restarts["signal"] == 1)
    }

    @Test("A sequence ends with the worker that executed it")
    func executing() throws {
        let summing = try Summing()
        defer { summing.stop() }
        #expect(try summing.answer(1, of: 7, start: true) == "1.0")
        summing.isDeadly.withLock { $0 = true }
        let sentence = try summing.answer(2, of: 7)
        #expect(sentence.contains("was ended by signal 9 (SIGKILL) while instance 'test_0' executed a batch of 1"))
        #expect(sentence.hasSuffix(", and its sequences have ended"))
        #expect(try summing.answer(3, of: 7).contains("sequence 7 to model 'test' has ended"))
        #expect(try summing.answer(4, of: 8, start: true) == "4.0")
    }

    @Test("A worker that goes while there is no sequence is nobody's loss")
    func idle() throws {
        let summing = try Summing()
        defer { summing.stop() }
        #expect(try summing.answer(1, of: 7, start: true) == "1.0")
        #expect(try summing.answer(2, of: 7, end: true) == "3.0")
        summing.endWorker()
        #expect(try summing.answer(4, of: 7, start: true) == "4.0")
        #expect(try summing.answer(8, of: 7) == "12.0")
        #expect(summing.launcher.launched.withLock { $0.count } == 2)
    }
}
