import CPlatform
import Glibc
import Logging
import ModelConfigurations
import ModelRuntime
import Tensors
import Threads

@testable import ModelIsolation

/// A worker that is a thread of the test's process: a script, with its end of the control channel.
struct ThreadLauncher: WorkerLauncher {
    typealias Script = @Sendable (FrameChannel) -> Void

    private let script: Script
    /// How many were started, and their processes.
    let launched = Locked<[ThreadProcess]>([])

    init(_ script: @escaping Script) { self.script = script }

    /// A worker that behaves.
    init(backends: [any Backend]) {
        self.init { channel in
            let table = Dictionary(backends.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            WorkerService(control: channel, backends: { _ in table }).run()
        }
    }

    func launch(control: Int32, title: String) throws(HalcyonError) -> any WorkerProcess {
        let process = ThreadProcess(FrameChannel(dup(control)))
        launched.withLock { $0.append(process) }
        let script = script
        try WorkerThread.detach(name: "worker") {
            script(process.channel)
            process.end()
        }
        return process
    }
}

final class ThreadProcess: WorkerProcess {
    let number: Int32 = 0
    let channel: FrameChannel
    private let isOver = Locked(false)
    private let changed = Signal()

    init(_ channel: FrameChannel) { self.channel = channel }

    func end() {
        channel.shut()
        isOver.withLock { $0 = true }
        changed.notify()
    }

    func kill() { channel.shut() }

    func wait() -> WorkerEnding {
        _ = changed.wait(until: nil, clock: SystemClock()) { self.isOver.withLock { $0 } }
        return .killed(signal: 9, memoryWasShort: false)
    }
}

enum Fixture {
    static let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    static func configuration(backend: String = "scripted") -> ModelConfiguration {
        var configuration = ModelConfiguration(name: "m")
        configuration.backend = backend
        configuration.maxBatchSize = 8
        configuration.inputs = [TensorConfiguration(name: "IN", elementType: .fp32, dimensions: [-1])]
        configuration.outputs = [TensorConfiguration(name: "OUT", elementType: .fp32, dimensions: [-1])]
        return configuration
    }

    static let identity = InstanceIdentity(name: "m_0", kind: .cpu, index: 0)

    /// A model behind workers of that launcher, prepared.
    static func model(
        _ launcher: ThreadLauncher, wrapping backend: any Backend,
        _ configuration: ModelConfiguration = configuration(), abandonment: LoadAbandonment? = nil,
        adjust: (inout IsolatedBackend.Options) -> Void = { _ in }
    ) throws -> IsolatedModel {
        var options = IsolatedBackend.Options(launcher: launcher, settings: WorkerSettings())
        adjust(&options)
        var source = ModelSource(
            modelName: configuration.name, version: 1, configuration: configuration, modelDirectory: "/nowhere",
            modelPath: nil, log: log)
        source.abandonment = abandonment
        let model = try IsolatedBackend(backend, options: options).openModel(source)
        try model.prepare(for: configuration, plan: CPUPlan(instances: 1, streams: 1, threads: 1))
        guard let isolated = model as? IsolatedModel else {
            throw HalcyonError(.internal, "the model is not isolated")
        }
        return isolated
    }

    static func batch(_ inputs: [Tensor], warmUp: Bool = false) -> ExecutionBatch {
        ExecutionBatch(
            inputs: inputs, batchSize: 1, requestedOutputs: nil, clock: SystemClock(), isWarmUp: warmUp)
    }

    static func input(_ values: [Float]) throws -> Tensor { try Tensor(name: "IN", shape: [1, values.count], values) }

    static func run(_ instance: any ModelInstance, _ values: [Float], warmUp: Bool = false) throws -> [Float] {
        var batch = batch([try input(values)], warmUp: warmUp)
        let outputs = try instance.execute(&batch)
        guard let output = outputs.first else { throw HalcyonError(.internal, "there is no output") }
        return try output.elements()
    }

    static func error(of body: () throws -> Void) -> HalcyonError? {
        do {
            try body()
            return nil
        } catch {
            return HalcyonError(wrapping: error)
        }
    }
}
