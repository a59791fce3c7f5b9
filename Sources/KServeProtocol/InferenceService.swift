package import Halcyon
package import Logging
internal import ModelRuntime
internal import Synchronization
package import Tensors
package import Threads

/// What every front end talks to: the server, and what belongs to the protocol rather than to the engine.
package final class InferenceService: Sendable {
    package let server: InferenceServer
    package let memory: SharedMemory
    package let limits: ProtocolLimits
    package let logSettings: LogSettings
    package let tracer: RequestTracer
    /// What all that clients cause counts against.
    package let budget: ByteBudget
    /// Where the work goes that takes as long as clients like.
    package let pool: WorkPool
    /// The name that the server answers with (`--id`).
    private let name: String
    private let log: Logger
    private let isStopping = Atomic<Bool>(false)

    package struct Options: Sendable {
        package var name = "halcyon"
        package var limits = ProtocolLimits()
        package var allowsSharedMemory = false
        package var budget = ByteBudget.unlimited
        package var pool = WorkPool(longCount: 0)
        package var log = Logger(label: "halcyon", factory: { _ in SwiftLogNoOpLogHandler() })

        package init() {}
    }

    package init(server: InferenceServer, logSettings: LogSettings, tracer: RequestTracer, options: Options) {
        self.server = server
        self.logSettings = logSettings
        self.tracer = tracer
        limits = options.limits
        budget = options.budget
        pool = options.pool
        name = options.name
        log = options.log
        memory = SharedMemory(isAllowed: options.allowsSharedMemory, gpus: server.gpus)
    }

    // MARK: State

    /// Whether requests should be sent here: not while the server is about to go.
    package var isReady: Bool { !isStopping.load(ordering: .relaxed) && server.isReady }

    /// Whether the server is about to go.
    package var isBeingStopped: Bool { isStopping.load(ordering: .relaxed) }

    /// From now on the server says that it is not ready.
    package func beginStopping() { isStopping.store(true, ordering: .relaxed) }

    package var metadata: ServerMetadata { ServerDocuments.protocolMetadata(name: name) }

    // MARK: Tracing

    /// The settings of a model, or those for all, after a change where there is one.
    ///
    /// - Throws: `invalidArgument` for a model that is not served, or a setting that is wrong; `unsupported` where
    ///   clients may change nothing.
    package func traceSettings(
        _ model: String?, change values: [String: [String]] = [:]
    ) throws(HalcyonError) -> TraceSettings {
        if let model, !server.isModelReady(model) {
            throw HalcyonError(.invalidArgument, "Request for unknown model : \(model)")
        }
        if !values.isEmpty { try tracer.change(model, try TraceChange(values)) }
        return tracer.settings(model)
    }

    // MARK: Models

    package func load(_ model: String, _ request: LoadRequest) async throws {
        try server.checkRepositoryControl()
        try await server.loadModel(model, override: request.override)
    }

    /// - Parameter dependents: whether the models of an ensemble's steps are unloaded with it.
    package func unload(_ model: String, dependents: Bool) async throws {
        try server.checkRepositoryControl()
        try await server.unloadModel(model, dependents: dependents)
    }

    // MARK: Shared memory

    /// Registers memory of a GPU; on a thread of its own, as the driver may have to be started for it.
    package func register(
        _ region: SharedMemory.DeviceStatus, handle: [UInt8],
        done: @escaping @Sendable (Result<Void, HalcyonError>) -> Void
    ) throws(HalcyonError) {
        try memory.checkAllowed()
        try WorkerThread.detach(name: "cuda register") { [memory] in
            done(Result { () throws(HalcyonError) in try memory.register(region, handle: handle) })
        }
    }

    // MARK: Inference

    /// Hands in a call for a model that was found; the handler gets what is ready for a wire, on any thread: once, but
    /// for a decoupled model.
    ///
    /// - Returns: what can take the call back; `nil` where it has ended already.
    package func infer(
        _ call: InferenceCall, on model: borrowing ModelHandle,
        handler: @escaping @Sendable (Result<InferenceResult, HalcyonError>) -> Void
    ) -> InferenceHandle? {
        var request = call.request
        request.nameWithoutID = "<id_unknown>"
        var form = call.form
        form.hasBatchDimension = model.batches
        for output in form.outputs where output.classCount > 0 {
            form.labels[output.name] = model.labels(of: output.name)
        }
        // The answer needs little of the call: what it holds is copied, and kept as long as the request is under way.
        guard logSettings.logsRequests else {
            return model.submit(request) { [form, self] in finish($0, form, handler) }
        }
        let start = ContinuousClock.now
        return model.submit(request) { [request, form, self] result in
            logRequest(request, result, after: .now - start)
            finish(result, form, handler)
        }
    }

    private func finish(
        _ result: Result<InferenceResponse, HalcyonError>, _ form: AnswerForm,
        _ handler: @escaping @Sendable (Result<InferenceResult, HalcyonError>) -> Void
    ) {
        switch result {
        case .failure(let error): handler(.failure(error))
        case .success(let response):
            // Those of a decoupled model keep their order; only the last of a request, or its only one, may come later.
            let work = response.isFinal ? InferenceResult.work(for: form, response) : 0
            guard work > WorkPool.immediate else { return handler(made(response, form)) }
            pool.run(work) { [self] in handler(made(response, form)) }
        }
    }

    private func made(_ response: InferenceResponse, _ form: AnswerForm) -> Result<InferenceResult, HalcyonError> {
        Result { () throws(HalcyonError) in
            try InferenceResult(response, for: form, limits: limits, memory: memory)
        }
    }

    private func logRequest(
        _ request: InferenceRequest, _ result: Result<InferenceResponse, HalcyonError>, after duration: Duration
    ) {
        var fields: Logger.Metadata = [
            "model": "\(request.modelName)", "id": "\(request.id)",
            "microseconds": "\(Int64(duration / .microseconds(1)))",
        ]
        switch result {
        case .success(let response): fields["version"] = "\(response.modelVersion)"
        case .failure(let error): fields["error"] = "\(error)"
        }
        log.debug("request", metadata: fields)
    }
}
