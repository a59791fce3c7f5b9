internal import Logging
package import ModelConfigurations
package import ModelRuntime
internal import Tensors
internal import Threads

/// Makes a served model from what lies in a repository: read → open → complete → check → prepare → instances → warm.
package struct ModelLoader: Sendable {
    package var repository: ModelRepositoryReader
    /// Where repositories come from that lie elsewhere; their folders are among those of ``repository``.
    package var sources = RepositorySources([])
    /// By name.
    package var backends: [String: any Backend]
    package var completion: ConfigurationCompletion.Options
    /// The maximum batch size of models that could batch and do not say, by the engine's name; that of ``completion``
    /// for the others.
    package var defaultMaxBatchSizes: [String: Int] = [:]
    package var warmsUp: Bool
    package var budget: CPUBudget
    package var environment: ExecutionEnvironment
    /// Where the threads of instances run, by the policy's name.
    package var hostPolicies: [String: HostPolicy] = [:]
    /// The machine's GPUs that models may run on. It is asked whenever a model is loaded.
    package var gpus: @Sendable () -> [Int] = { [] }
    /// GPUs below it are not among them.
    package var minimumComputeCapability = 6.0
    /// What decides which models run in processes of their own; `nil` where none do.
    package var isolation: (any ModelIsolating)?
    /// Who runs the repository agents that models name; `nil` where nobody does.
    package var agents: (any RepositoryAgents)?

    package init(
        repository: ModelRepositoryReader, backends: [String: any Backend],
        completion: ConfigurationCompletion.Options, warmsUp: Bool, budget: CPUBudget,
        environment: ExecutionEnvironment
    ) {
        self.repository = repository
        self.backends = backends
        self.completion = completion
        self.warmsUp = warmsUp
        self.budget = budget
        self.environment = environment
    }

    /// What an ensemble needs of the server: its models' configurations, and the way to them.
    struct Surroundings {
        var configuration: @Sendable (EnsembleScheduling.Step) throws(HalcyonError) -> ModelConfiguration
        /// The models of the steps of the ensemble with that key, held for one request.
        var resolver:
            @Sendable (_ key: String, _ steps: [EnsembleScheduling.Step]) throws(HalcyonError) -> any EnsembleRoute
        /// Whether nobody wants the model any more that is being loaded.
        var isGivenUp: @Sendable () -> Bool = { false }
        /// Tells backends so; `nil` where nobody does.
        var abandonment: LoadAbandonment?
    }

    /// The keys of the models that a model's steps need directly; none for one that is no ensemble.
    ///
    /// - Throws: what is wrong with its configuration.
    func steps(_ key: String, override: ModelOverride? = nil) throws(HalcyonError) -> [String] {
        let definition = try repository.readModel(key, backends: backends, json: override?.configuration)
        return try routed(definition.configuration.ensemble, near: definition.root)?.steps.map(\.modelName) ?? []
    }

    /// An ensemble whose steps have the keys of their models in place of the names.
    private func routed(
        _ ensemble: EnsembleScheduling?, near root: String
    ) throws(HalcyonError) -> EnsembleScheduling? {
        guard var routed = ensemble else { return nil }
        for index in routed.steps.indices {
            routed.steps[index].modelName = try repository.key(of: routed.steps[index].modelName, near: root)
        }
        return routed
    }

    /// A model as it lies there at the moment, about to be loaded.
    struct Preparation {
        let key: String
        let definition: ModelDefinition
        /// The versions that its policy names, and what each would be made of; `nil` for one that is made again by
        /// every load.
        let identities: [Int64: VersionIdentity?]
        let repository: ModelRepositoryReader
        /// Where its files lie, if a request brought them.
        let files: PrivateRepository?
        /// Those that its configuration names; `nil` for none.
        let agents: AgentUse?

        /// What its versions need as long as they serve.
        var belongings: ModelBelongings { ModelBelongings(files: files ?? repository.ownRepository, agents: agents) }
    }

    /// Reads a model.
    ///
    /// - Parameter override: what takes the place of the model's configuration, and of its files where it has any.
    /// - Throws: as ``ModelRepositoryReader/readModel(_:backends:json:)``; the stage is `making` where the
    ///   configuration could be read.
    func prepare(_ key: String, override: ModelOverride? = nil) throws(LoadFailure) -> Preparation {
        var repository = repository
        var modelKey = key
        do throws(HalcyonError) {
            try override?.check()
        } catch {
            throw LoadFailure(error: error, stage: .reading)
        }
        do throws(HalcyonError) {
            var files: PrivateRepository?
            if let override, !override.files.isEmpty {
                let modelName = try ModelKey(key).name
                let made = try PrivateRepository(model: modelName, files: override.files)
                repository = try ModelRepositoryReader(paths: [made.path])
                modelKey = modelName.rawValue
                files = made
            }
            var written = try repository.writtenModel(modelKey, json: override?.configuration)
            let agents = try consultAgents(written, &modelKey, in: &repository)
            // They may have changed it, or put another in its place.
            if agents != nil { written = try repository.writtenModel(modelKey, json: override?.configuration) }
            let definition = try repository.readModel(written, backends: backends)
            return Preparation(
                key: key, definition: definition,
                identities: try identities(definition, repository, isChanged: agents != nil), repository: repository,
                files: files, agents: agents)
        } catch {
            let isRead = repository.canReadConfiguration(modelKey, json: override?.configuration)
            throw LoadFailure(error: error, stage: isRead ? .making : .reading)
        }
    }

    /// What each version would be made of. Those of an ensemble have none: what its steps are may have changed. Nor has
    /// a single file: all sorts of things may lie beside it.
    ///
    /// - Parameter isChanged: whether agents make of it what they like, so that it may be another each time.
    private func identities(
        _ definition: ModelDefinition, _ repository: ModelRepositoryReader, isChanged: Bool
    ) throws(HalcyonError) -> [Int64: VersionIdentity?] {
        var identities: [Int64: VersionIdentity?] = [:]
        guard definition.configuration.ensemble == nil, !isChanged, !repository.isOwn(definition.folder) else {
            for version in definition.versions { identities.updateValue(nil, forKey: version.number) }
            return identities
        }
        // Those that a configuration can name: what else lies there, a README for instance, changes no model.
        let named = Set(
            definition.configuration.outputs.compactMap {
                $0.labelFilename.split(separator: "/").first.map(String.init)
            }
        )
        .union(["warmup", "initial_state"])
        let walk = repository.walk(in: definition.folder)
        let beside = try walk.fingerprint(of: definition.directory, where: named.contains)
        for version in definition.versions {
            let contents = try walk.fingerprint(of: definition.folder(of: version))
            identities[version.number] = VersionIdentity(
                configuration: definition.configuration, contents: contents, shared: beside)
        }
        return identities
    }

    /// Loads one of the versions.
    ///
    /// - Throws: whatever is wrong with it.
    func load(
        _ preparation: Preparation, version number: Int64, in surroundings: Surroundings
    ) throws(HalcyonError) -> ServedModel {
        let definition = preparation.definition
        guard let version = definition.versions.first(where: { $0.number == number }) else {
            throw HalcyonError(
                .internal, "model '\(definition.configuration.name)' has no version \(number) to be loaded")
        }
        if let ensemble = try routed(definition.configuration.ensemble, near: definition.root) {
            return try load(ensemble, preparation, version, in: surroundings)
        }
        return try load(preparation, version, in: surroundings)
    }

    private func load(
        _ preparation: Preparation, _ version: ModelDefinition.Version, in surroundings: Surroundings,
        batches: Bool = true
    ) throws(HalcyonError) -> ServedModel {
        let start = environment.clock.now()
        let definition = preparation.definition
        let name = definition.configuration.name
        guard let engine = backends[definition.engine.backendName] else {
            throw HalcyonError(
                .internal, "model '\(name)': no backend '\(definition.engine.backendName)' is registered")
        }
        let timeout = try ExecutionTimeout.nanoseconds(definition.configuration) ?? environment.executionTimeout
        let backend = try isolated(engine, preparation, timeout)
        let labels = try preparation.repository.labels(of: definition)
        let placement = placement(of: backend)
        let model = try open(definition, version, with: backend, surroundings.abandonment)
        let configuration = try complete(definition, version, model, placement, batches: batches)
        try LoadChecks.check(
            configuration, directory: definition.directory, placement, followsLinks: repository.followsLinks)
        for warning in ConfigurationCheck.warnings(configuration) {
            environment.log.warning("configuration", metadata: ["diagnostic": "\(warning)"])
        }
        let instances = try InstancePlan.instances(
            of: configuration, placement: placement, policies: hostPolicies)
        let plan = try prepare(model, for: configuration, instances)
        var parts = ModelExecutor.Parts(
            model: model, version: version.number, configuration: configuration, instances: instances,
            environment: environment)
        // Who can end a process needs no thread that gives an instance up.
        parts.environment.executionTimeout = model is any WorkerModel ? 0 : timeout
        warnOfCache(configuration)
        warnOfRates(configuration)
        let executor = try makeExecutor(parts, definition)
        let warmUp = try self.warmUp(executor, preparation, in: surroundings, mayUseZeros: model.warmsUpOnZeros)
        if let output = warmUp.outputWithoutBatch {
            guard definition.configuration.maxBatchSize > 0 || !batches else {
                executor.stop(deadline: nil)
                noteWithoutBatches(name, output)
                return try load(preparation, version, in: surroundings, batches: false)
            }
            warnOfOutput(output, configuration)
        }
        let duration = environment.clock.now() &- start
        var metadata: Logger.Metadata = [
            "model": "\(name)", "version": "\(version.number)",
            "backend": "\(ModelBackends.shownName(of: backend.name, for: configuration))", "cpu": "\(plan)",
            "milliseconds": "\(duration / 1_000_000)",
        ]
        if let times = warmUp.times {
            metadata["first_execution_us"] = "\(times.first / 1000)"
            metadata["steady_execution_us"] = "\(times.steady / 1000)"
        }
        if let reason = warmUp.reason { metadata["warm_up"] = "none: \(reason)" }
        for property in model.properties { metadata[property.name] = "\(property.value)" }
        environment.log.info("successfully loaded '\(name)'", metadata: metadata)
        return ServedModel(
            key: preparation.key, steps: [], labels: labels, loadNanoseconds: duration,
            identity: preparation.identities[version.number] ?? nil, belongings: preparation.belongings,
            executor: executor)
    }

    /// A backend, or one around it that runs the model in a process of its own.
    private func isolated(
        _ backend: any Backend, _ preparation: Preparation, _ timeout: UInt64
    ) throws(HalcyonError) -> any Backend {
        guard let isolation else { return backend }
        let configuration = preparation.definition.configuration
        let request = IsolationRequest(
            parameters: configuration.parameters, modelName: configuration.name, runtime: configuration.runtime,
            hasClientFiles: preparation.files != nil, executionTimeout: timeout)
        return try isolation.backend(for: request, around: backend)
    }

    /// Has the model set up what its instances share, on their processors where a host policy names them: the threads
    /// that an engine starts keep to those of the thread that starts them.
    private func prepare(
        _ model: any BackendModel, for configuration: ModelConfiguration, _ instances: [InstanceIdentity]
    ) throws(HalcyonError) -> CPUPlan {
        warnOfPolicies(configuration)
        let policy = HostPolicy.common(instances.map(\.hostPolicy))
        let plan = cpuPlan(configuration, instances)
        let prepare: @Sendable () throws(HalcyonError) -> Void = { () throws(HalcyonError) in
            do {
                try model.prepare(for: configuration, plan: plan)
            } catch {
                throw HalcyonError(wrapping: error)
            }
        }
        if let policy { try policy.bound(prepare) } else { try prepare() }
        return plan
    }

    /// The share of the processor that a model's instances have together.
    func cpuPlan(_ configuration: ModelConfiguration, _ instances: [InstanceIdentity]) -> CPUPlan {
        var budget = budget
        if let cores = HostPolicy.common(instances.map(\.hostPolicy))?.cores, !cores.isEmpty {
            budget.cores = min(budget.cores, cores.count)
        }
        return budget.plan(instances: instances.count, combinesRequests: configuration.dynamicBatching != nil)
    }

    func warnOfPolicies(_ configuration: ModelConfiguration) {
        for name in Set(configuration.instanceGroups.map(\.hostPolicy)) where !name.isEmpty && hostPolicies[name] == nil
        {
            environment.log.warning(
                "the model names a host policy that the server does not have",
                metadata: ["model": "\(configuration.name)", "policy": "\(name)"])
        }
    }

    /// The instances with their scheduler.
    private func makeExecutor(
        _ parts: ModelExecutor.Parts, _ definition: ModelDefinition
    ) throws(HalcyonError) -> any WarmedExecutor {
        guard let sequences = parts.configuration.sequenceBatching else { return try ModelExecutor(parts) }
        return try SequenceExecutor(
            parts, sequences,
            initialStates: try InitialStates.read(
                sequences, directory: definition.directory, followsLinks: repository.followsLinks))
    }

    /// Has the model run before its first request.
    ///
    /// - Throws: what a sample of its configuration fails with; the executor is stopped then.
    private func warmUp(
        _ executor: any WarmedExecutor, _ preparation: Preparation, in surroundings: Surroundings, mayUseZeros: Bool
    ) throws(HalcyonError) -> WarmUpReport {
        let configuration = executor.configuration
        for sample in configuration.warmUps where sample.batchSize == 0 {
            environment.log.info(
                "a warm-up sample is not run, as its batch_size is 0",
                metadata: ["model": "\(configuration.name)", "sample": "\(sample.name)"])
        }
        do throws(HalcyonError) {
            let plan = WarmUpPlan(
                samples: try WarmUpItems.read(
                    configuration, directory: preparation.definition.directory, followsLinks: repository.followsLinks),
                isAutomatic: try ServerParameter.automaticWarmUp.flag(of: configuration)
                    ?? (warmsUp && mayUseZeros),
                isGivenUp: surroundings.isGivenUp)
            return try executor.warmUp(plan)
        } catch {
            executor.stop(deadline: nil)
            throw error.prefixed("model '\(configuration.name)' failed to warm up: ")
        }
    }

    private func noteWithoutBatches(_ name: String, _ output: String) {
        environment.log.notice(
            "the model is completed without batches, as one of its outputs has none in its first dimension",
            metadata: ["model": "\(name)", "output": "\(output)"])
    }

    private func warnOfOutput(_ output: String, _ configuration: ModelConfiguration) {
        guard configuration.maxBatchSize > 0 else { return }
        environment.log.warning(
            "an output's first dimension is not the batch: requests that share a batch will fail",
            metadata: [
                "model": "\(configuration.name)", "output": "\(output)",
                "remedy": "write max_batch_size: 0, and all inputs and outputs with their whole shapes",
            ])
    }

    /// - Parameter ensemble: with the keys of its models.
    private func load(
        _ ensemble: EnsembleScheduling, _ preparation: Preparation, _ version: ModelDefinition.Version,
        in surroundings: Surroundings
    ) throws(HalcyonError) -> ServedModel {
        let (key, definition) = (preparation.key, preparation.definition)
        let start = environment.clock.now()
        var configuration = try ConfigurationCompletion.complete(
            definition.configuration, signature: nil, options: completion)
        let graph = try EnsembleGraph(configuration, ensemble)
        var models: [ModelConfiguration] = []
        for step in ensemble.steps { models.append(try surroundings.configuration(step)) }
        try EnsembleGraph.check(configuration, ensemble, against: models)
        let streams = try EnsembleStreams(configuration, ensemble, graph, decoupled: models.map(\.isDecoupled))
        configuration.isDecoupled = streams.isDecoupled
        let steps = ensemble.steps
        let parts = EnsembleExecutor.Parts(
            configuration: configuration, ensemble: ensemble, graph: graph, streams: streams, version: version.number,
            environment: environment
        ) { [resolver = surroundings.resolver] in Result { () throws(HalcyonError) in try resolver(key, steps) } }
        warnOfCache(configuration)
        let executor = EnsembleExecutor(parts)
        environment.log.info(
            "successfully loaded '\(configuration.name)'",
            metadata: [
                "model": "\(configuration.name)", "version": "\(version.number)",
                "steps": "\(ensemble.steps.map(\.modelName).joined(separator: ","))",
            ])
        return ServedModel(
            key: key, steps: ensemble.steps, labels: try repository.labels(of: definition),
            loadNanoseconds: environment.clock.now() &- start, identity: nil,
            belongings: preparation.belongings, executor: executor)
    }

    func warnOfRates(_ configuration: ModelConfiguration) {
        guard environment.resources == nil, configuration.instanceGroups.contains(where: { $0.rateLimiter != nil })
        else { return }
        environment.log.notice(
            "the model's rate limiter is not acted on, as the server limits no rates",
            metadata: ["model": "\(configuration.name)"])
    }

    private func warnOfCache(_ configuration: ModelConfiguration) {
        guard configuration.usesResponseCache, environment.cache == nil else { return }
        environment.log.warning(
            "the model wants its answers cached, and the server has no cache",
            metadata: ["model": "\(configuration.name)"])
    }

    /// The configuration with what the model and the defaults add, in agreement with the model.
    func complete(
        _ definition: ModelDefinition, _ version: ModelDefinition.Version, _ model: any BackendModel,
        _ placement: GPUPlacement, batches: Bool = true
    ) throws(HalcyonError) -> ModelConfiguration {
        var options = completion
        options.placement = placement
        var written = definition.configuration
        let backendName = ModelBackends.shownName(of: definition.engine.backendName, for: written)
        options.defaultMaxBatchSize =
            batches ? defaultMaxBatchSizes[backendName] ?? completion.defaultMaxBatchSize : 0
        if completion.isEnabled, let completed = model.completedConfiguration { written.take(from: completed) }
        if written.instanceGroups.isEmpty, let preferring = model as? any InstancePreferences,
            var group = placement.first(of: preferring.preferredInstanceGroups)
        {
            group.name = written.name
            written.instanceGroups = [group]
        }
        var configuration = try ConfigurationCompletion.complete(
            written, signature: model.signature, options: options)
        configuration.defaultModelFilename = version.filename ?? configuration.defaultModelFilename
        if let signature = model.signature { try ConfigurationCheck.check(configuration, against: signature) }
        return configuration
    }

    /// The GPUs that a backend's models may be on.
    func placement(of backend: any Backend) -> GPUPlacement {
        let numbers = gpus()
        guard !numbers.isEmpty else { return .none }
        let engine: GPUPlacement.Engine =
            switch backend.gpuSupport {
            case .none: .never
            case .notInstalled: .unequipped
            case .available: .ready
            }
        return GPUPlacement(numbers: numbers, engine: engine, minimumComputeCapability: minimumComputeCapability)
    }

    private func checkAccelerators(
        _ configuration: ModelConfiguration, _ backend: any Backend
    ) throws(HalcyonError) {
        let optimization = configuration.optimization
        guard let first = (optimization.gpuAccelerators + optimization.cpuAccelerators).first,
            !backend.takesExecutionAccelerators
        else { return }
        let name = ModelBackends.shownName(of: backend.name, for: configuration)
        throw HalcyonError(
            .unsupported,
            "model '\(configuration.name)': optimization.execution_accelerators names '\(first.name)', and the backend "
                + "'\(name)' takes none: leave it out, or name the backend onnxruntime")
    }

    private func checkRuntime(_ configuration: ModelConfiguration, _ backend: any Backend) throws(HalcyonError) {
        if let path = configuration.parameters[ModelBackends.strategyParameter], !backend.takesRuntime {
            throw HalcyonError(
                .unsupported,
                "model '\(configuration.name)': \(ModelBackends.strategyParameter) names '\(path)', and custom "
                    + "batching is there for backends that were made for Triton only, not for '\(backend.name)'")
        }
        guard !backend.takesRuntime, !["", "libtriton_\(configuration.backend).so"].contains(configuration.runtime)
        else { return }
        throw HalcyonError(
            .unsupported,
            "model '\(configuration.name)': 'runtime' names '\(configuration.runtime)', and the backend "
                + "'\(backend.name)' is this server's own and takes no library: leave 'runtime' out")
    }

    func open(
        _ definition: ModelDefinition, _ version: ModelDefinition.Version, with backend: any Backend,
        _ abandonment: LoadAbandonment? = nil
    ) throws(HalcyonError) -> any BackendModel {
        for diagnostic in definition.diagnostics {
            environment.log.warning("configuration", metadata: ["diagnostic": "\(diagnostic)"])
        }
        if let notice = definition.engine.notice {
            environment.log.notice(
                "engine", metadata: ["model": "\(definition.configuration.name)", "notice": "\(notice)"])
        }
        for notice in definition.notices {
            environment.log.notice(
                "repository", metadata: ["model": "\(definition.configuration.name)", "notice": "\(notice)"])
        }
        try checkAccelerators(definition.configuration, backend)
        try checkRuntime(definition.configuration, backend)
        // What is the server's own is no engine's business.
        var configuration = definition.configuration
        for parameter in ServerParameter.allCases { configuration.parameters[parameter.rawValue] = nil }
        do {
            var source = ModelSource(
                modelName: configuration.name, version: version.number, configuration: configuration,
                modelDirectory: definition.directory, modelPath: version.modelPath, log: environment.log)
            source.abandonment = abandonment
            return try backend.openModel(source)
        } catch {
            let error = HalcyonError(wrapping: error)
            guard let what = version.modelPath.flatMap(ModelFileContents.complaint) else { throw error }
            throw HalcyonError(.invalidArgument, "model '\(configuration.name)': \(what); \(error.message)")
        }
    }

    /// Stops models that are off the table.
    ///
    /// - Returns: how many waiting requests were dropped.
    func stop(_ models: [ServedModel], deadline: UInt64?) -> Int {
        models.reduce(0) { $0 + $1.stop(deadline: deadline, clock: environment.clock) }
    }
}

extension ModelConfiguration {
    /// Takes over what a model completes of its configuration.
    fileprivate mutating func take(from completed: ModelConfiguration) {
        inputs = completed.inputs
        outputs = completed.outputs
        maxBatchSize = completed.maxBatchSize
        dynamicBatching = completed.dynamicBatching
        isDecoupled = completed.isDecoupled
    }
}
