import HalcyonTestKit
import Logging
import ModelConfigurations
import ModelRuntime
import Tensors
import Threads

/// An executor of a scripted model with sequences, without a repository around it. The model is that of
/// ``ExecutorFixture``.
struct SequenceFixture {
    typealias Outcome = Result<InferenceResponse, HalcyonError>

    let backend: ScriptedBackend
    let executor: SequenceExecutor
    let timer: DeadlineTimer
    let outcomes = Collected<Outcome>()

    init(
        _ sequences: SequenceBatching, maxBatchSize: Int = 4, dimensions: TensorShape = [4], instances: Int = 1,
        clock: any SchedulingClock = SystemClock(), initialStates: [String: [UInt8]] = [:],
        script: @escaping ScriptedBackend.Script, adjust: (inout ModelExecutor.Parts) -> Void = { _ in }
    ) throws {
        let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        backend = ScriptedBackend(script: script)
        timer = DeadlineTimer(clock: clock)
        var configuration = ExecutorFixture.configuration(maxBatchSize: maxBatchSize, dimensions: dimensions)
        configuration.sequenceBatching = sequences
        let model = try backend.openModel(
            ModelSource(
                modelName: "test", version: 1, configuration: configuration, modelDirectory: "", modelPath: nil,
                log: log))
        var parts = ModelExecutor.Parts(
            model: model, version: 1, configuration: configuration,
            instances: (0..<instances).map { InstanceIdentity(name: "test_\($0)", kind: .cpu, index: $0) },
            environment: ExecutionEnvironment(clock: clock, timer: timer, log: log))
        adjust(&parts)
        executor = try SequenceExecutor(parts, sequences, initialStates: initialStates)
    }

    /// Hands in a request; its outcome comes to ``outcomes``.
    @discardableResult
    func submit(
        _ value: Float, of sequence: UInt64, start: Bool = false, end: Bool = false, elements: Int = 4
    ) throws -> (any SubmittedRequest)? {
        var request = try ExecutorFixture.request(value, elements: elements)
        request.sequence = InferenceSequence(id: .number(sequence), isStart: start, isEnd: end)
        return executor.submit(request, from: .nonBlocking) { outcomes.add($0) }
    }

    /// The first values of the outputs that have come, in order; `nil` for an error.
    func values(_ count: Int) -> [Float?] {
        outcomes.wait(for: count).map { outcome in
            (try? outcome.get()).flatMap { try? $0.output("OUT").elements(as: Float.self).first }
        }
    }

    func message(_ index: Int) -> String {
        if case .failure(let error) = outcomes.wait(for: index + 1)[index] { error.message } else { "" }
    }

    func stop() {
        executor.stop(deadline: nil)
        timer.stop()
    }
}
