private import CPlatform
internal import Logging
internal import ModelConfigurations
package import ModelRuntime
internal import Tensors
internal import Threads

/// The worker's side: it opens one model and runs its instances, until the server is gone.
package final class WorkerService: Sendable {
    /// Makes the backends that a server with these settings has, by name.
    package typealias Backends = @Sendable (WorkerSettings) throws -> [String: any Backend]

    private struct State {
        var settings = WorkerSettings()
        var backends: [String: any Backend] = [:]
        var model: (any BackendModel)?
        /// Those of the instances.
        var channels: [Channel] = []
    }

    private struct Channel {
        weak var channel: FrameChannel?
    }

    private let channel: FrameChannel
    private let makeBackends: Backends
    private let state = Locked(State())
    private let memory = InputTable()
    private let watch: MemoryWatch
    /// Shuts itself off from the machine. Called before anything of a model or an engine is touched.
    private let enclose: @Sendable (WorkerSettings) -> [String]

    /// - Parameters:
    ///   - control: the control channel's end.
    ///   - watch: what becomes of it where there is no memory.
    ///   - enclose: keeps the process to what its settings allow; what of it can't be had is returned in words.
    package init(
        control: FrameChannel, backends: @escaping Backends, watch: MemoryWatch = .none,
        enclose: @escaping @Sendable (WorkerSettings) -> [String] = { _ in [] }
    ) {
        channel = control
        makeBackends = backends
        self.watch = watch
        self.enclose = enclose
    }

    /// Serves until the server is gone, or says what makes no sense.
    package func run() {
        defer { for each in state.withLock({ $0.channels }) { each.channel?.shut() } }
        while let body = try? channel.receive() {
            guard let request = try? ControlRequest(body),
                let descriptors = try? channel.takeDescriptors(request.descriptorCount)
            else { return }
            // The first one decides what all threads may do, and so comes before there are others.
            if case .hello = request {
                answer(request, descriptors)
                continue
            }
            // The end of the server is noticed whatever an engine does.
            guard let _ = try? WorkerThread.detach(name: "model", { [self] in answer(request, descriptors) }) else {
                return
            }
        }
    }

    private func answer(_ request: ControlRequest, _ descriptors: [Int32]) {
        let answer: ControlAnswer
        do {
            answer = try self.answer(to: request, descriptors)
        } catch {
            if watch.ends(after: error) { return channel.shut() }
            answer = .failed(HalcyonError(wrapping: error))
        }
        guard let frame = try? answer.frame() else { return channel.shut() }
        try? channel.send(frame)
    }

    private func answer(to request: ControlRequest, _ descriptors: [Int32]) throws -> ControlAnswer {
        switch request {
        case .hello(let settings):
            let lacking = enclose(settings)
            let backends = try makeBackends(settings)
            state.withLock { state in
                state.settings = settings
                state.backends = backends
            }
            return .welcome(lacking: lacking)
        case .open(let source): return .model(try open(source))
        case .prepare(let configuration, let plan, let processors):
            return .model(try prepare(configuration, plan, processors))
        case .make(let identity):
            guard let descriptor = descriptors.first else { throw ProtocolFault("an instance comes with its socket") }
            return try make(identity, FrameChannel(descriptor, spins: true))
        case .judge(let plan): return .judged(try model.isPrepared(for: plan))
        }
    }

    private func open(_ source: ControlRequest.Source) throws -> ControlAnswer.Traits {
        let (backends, level) = state.withLock { ($0.backends, $0.settings.logLevel) }
        guard let backend = backends[source.backend] else {
            throw HalcyonError(
                .unsupported,
                "model '\(source.modelName)': the worker process has no backend '\(source.backend)', so that it "
                    + "can't be isolated. It has \(backends.keys.sorted().joined(separator: ", ")); give those of your "
                    + "own to InferenceServer.runWorkerIfAsked(backends:)")
        }
        let channel = channel
        let log = Logger(label: "worker") { _ in
            WorkerLog(channel: channel, logLevel: Logger.Level(rawValue: level) ?? .info)
        }
        let model = try backend.openModel(
            ModelSource(
                modelName: source.modelName, version: source.version,
                configuration: try Self.configuration(source.configuration, source.modelName),
                modelDirectory: source.modelDirectory, modelPath: source.modelPath, log: log))
        state.withLock { $0.model = model }
        return Self.traits(of: model)
    }

    private static func configuration(_ json: [UInt8], _ name: String) throws(HalcyonError) -> ModelConfiguration {
        try ConfigurationReader.configuration(json, file: "configuration", modelName: name, form: .json).configuration
    }

    private static func traits(of model: any BackendModel) -> ControlAnswer.Traits {
        var traits = ControlAnswer.Traits()
        traits.signature = model.signature
        traits.fixedBatchSize = model.fixedBatchSize
        traits.takesEmptyTensors = model.takesEmptyTensors
        traits.outputsLikeInputs = model.outputsLikeInputs
        traits.properties = model.properties.map { .init(name: $0.name, value: $0.value) }
        return traits
    }

    private var model: any BackendModel {
        get throws(HalcyonError) {
            guard let model = state.withLock({ $0.model }) else {
                throw HalcyonError(.internal, "the worker process has no model")
            }
            return model
        }
    }

    private func prepare(
        _ configuration: [UInt8], _ plan: CPUPlan, _ processors: [Int]
    ) throws -> ControlAnswer.Traits {
        let model = try model
        // On the model's own processors, as are the threads that an engine starts here.
        let allowed = Set(state.withLock { $0.settings.processors })
        let own = allowed.isEmpty ? Set(processors) : allowed.intersection(processors)
        if !own.isEmpty { try? HostPolicy(cores: own).apply() }
        try model.prepare(for: try Self.configuration(configuration, ""), plan: plan)
        guard (model as? any BatchFormingModel)?.formsBatches != true else {
            throw HalcyonError(
                .unsupported,
                "a model with a library of custom batching can't be isolated: batches are formed in the server")
        }
        return Self.traits(of: model)
    }

    private func make(_ identity: InstanceIdentity, _ channel: FrameChannel) throws -> ControlAnswer {
        let outputBytes = state.withLock { state in
            state.channels.removeAll { $0.channel == nil }
            state.channels.append(Channel(channel: channel))
            return state.settings.outputBytes
        }
        let instance = try identity.make(of: try model)
        let decoupled = instance as? any DecoupledModelInstance
        let batches = WorkerInstance(instance, channel, memory, outputBytes: outputBytes, watch: watch)
        let requests = decoupled.map { WorkerDecoupledInstance($0, channel, memory, watch: watch) }
        try WorkerThread.detach(name: identity.name) {
            try? identity.hostPolicy?.apply()
            if let requests { requests.run(batches) } else { batches.run() }
        }
        return .made(isDecoupled: decoupled != nil)
    }
}
