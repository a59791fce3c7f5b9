internal import Logging
internal import ModelConfigurations
internal import ModelRuntime
package import Tensors
internal import Threads

/// Looks for everything that is wrong with a repository, without serving it. What a server refuses to load it finds: a
/// model whose engine is there is loaded, tried out and let go.
package struct RepositoryLint: Sendable {
    package struct Options: Sendable {
        /// Whether models are loaded by their engines.
        package var opensModels = true
        /// The keys of models that are not to be loaded all the same: loading them ends the process.
        package var closed: Set<String> = []
        /// Is called with a model's key before it is loaded.
        package var willOpen: @Sendable (String) -> Void = { _ in }

        package init() {}
    }

    private let loader: ModelLoader
    private let options: Options
    /// What loads have said.
    private let log: Locked<[String]>
    /// What models are in effect, as those of an ensemble's steps are asked for again.
    private let opened = Locked<[String: Result<ModelConfiguration, HalcyonError>]>([:])

    package init(_ loader: ModelLoader, _ options: Options) {
        let log = Locked<[String]>([])
        var loader = loader
        // The samples of model_warmup run all the same.
        loader.warmsUp = false
        loader.environment.log = Logger(label: "lint") { _ in LintLog(lines: log) }
        self.log = log
        self.loader = loader
        self.options = options
    }

    /// The keys of the models, in the order in which they are looked at.
    ///
    /// - Throws: where a repository can't be read at all.
    package func keys() throws(HalcyonError) -> [String] { try loader.repository.modelKeys() }

    /// Everything that is wrong, model by model.
    ///
    /// - Throws: where a repository can't be read at all.
    package func findings() throws(HalcyonError) -> [LintFinding] {
        let names = try keys()
        return names.flatMap { findings(of: $0, among: Set(names)) }
    }

    /// Everything that is wrong with one model.
    ///
    /// - Parameter names: the keys of all models.
    package func findings(of name: String, among names: Set<String>) -> [LintFinding] {
        var findings: [LintFinding] = []
        func add(_ severity: LintFinding.Severity, _ text: String) {
            findings.append(LintFinding(model: name, severity: severity, text: text))
        }
        // Each of these is looked at whatever the others say.
        func attempt(_ body: () throws(HalcyonError) -> Void) {
            do {
                try body()
            } catch {
                // Errors that come together are a line each.
                for line in error.message.split(separator: "\n") { add(.error, String(line)) }
            }
        }
        var found: ModelDefinition?
        attempt { () throws(HalcyonError) in
            found = try loader.repository.readModel(name, backends: loader.backends)
        }
        guard let definition = found else { return findings }
        for diagnostic in definition.diagnostics { findings.append(LintFinding(model: name, diagnostic)) }
        for notice in definition.notices { add(.warning, notice) }
        attempt { () throws(HalcyonError) in _ = try loader.repository.labels(of: definition) }
        if let ensemble = definition.configuration.ensemble {
            for complaint in complaints(ensemble, of: definition, among: names) { add(.error, complaint) }
            for warning in warnings(ensemble, definition.configuration) { add(.warning, warning) }
            return findings
        }
        let isOpened = opens(name, definition)
        // All versions are opened, if any is; what the others say is mostly the same.
        for version in isOpened ? definition.versions : definition.versions.suffix(1) {
            var isSound = true
            attempt { () throws(HalcyonError) in
                let configuration: ModelConfiguration
                do throws(HalcyonError) {
                    configuration = try effective(name, definition, version)
                } catch {
                    isSound = false
                    throw error
                }
                for warning in ConfigurationCheck.warnings(configuration) { add(.warning, warning) }
                for complaint in LoadChecks.complaints(
                    configuration, directory: definition.directory, placement(definition),
                    followsLinks: loader.repository.followsLinks)
                {
                    isSound = false
                    for line in complaint.message.split(separator: "\n") { add(.error, String(line)) }
                }
                do throws(HalcyonError) {
                    _ = try WarmUpItems.read(
                        configuration, directory: definition.directory, followsLinks: loader.repository.followsLinks)
                } catch {
                    isSound = false
                    throw error
                }
            }
            // The whole of a load finds what only the engine knows, and what is only found by doing it.
            if isSound, isOpened {
                options.willOpen(name)
                attempt { () throws(HalcyonError) in try loader.tryOut(name, version: version.number) }
            }
        }
        if let obstacle = obstacle(to: name, definition) { add(.note, obstacle) }
        for line in log.withLock({ $0 }) { add(.note, line) }
        log.withLock { $0 = [] }
        var seen: Set<LintFinding> = []
        return findings.filter { seen.insert($0).inserted }
    }

    /// Why a model that was to be opened is not, and what is not looked at for that.
    private func obstacle(to key: String, _ definition: ModelDefinition) -> String? {
        guard options.opensModels, !options.closed.contains(key) else { return nil }
        let engine = definition.engine.backendName
        guard let backend = loader.backends[engine], !backend.isInstalled else { return nil }
        return
            "the model was not opened, as the engine '\(engine)' is not on this machine: whether types, dimensions "
            + "and names of inputs and outputs are the model's, its parameters, and the samples of model_warmup are "
            + "not checked"
    }

    private func opens(_ key: String, _ definition: ModelDefinition) -> Bool {
        options.opensModels && !options.closed.contains(key) && definition.configuration.ensemble == nil
            && loader.backends[definition.engine.backendName]?.isInstalled == true
    }

    /// Without its engine a model is taken at its configuration's word.
    private func effective(
        _ key: String, _ definition: ModelDefinition, _ version: ModelDefinition.Version?
    ) throws(HalcyonError) -> ModelConfiguration {
        if let version, opens(key, definition) {
            let name = "\(key) \(version.number)"
            if let known = opened.withLock({ $0[name] }) { return try known.get() }
            options.willOpen(key)
            let result = Result { () throws(HalcyonError) in try loader.effectiveConfiguration(definition, version) }
            opened.withLock { $0[name] = result }
            return try result.get()
        }
        guard !definition.configuration.inputs.isEmpty, !definition.configuration.outputs.isEmpty else {
            return definition.configuration
        }
        var options = loader.completion
        options.placement = placement(definition)
        return try ConfigurationCompletion.complete(definition.configuration, signature: nil, options: options)
    }

    private func placement(_ definition: ModelDefinition) -> GPUPlacement {
        loader.backends[definition.engine.backendName].map { loader.placement(of: $0) } ?? .none
    }

    /// Everything that is wrong with an ensemble, whatever else is.
    private func complaints(
        _ ensemble: EnsembleScheduling, of definition: ModelDefinition, among names: Set<String>
    ) -> [String] {
        let configuration = definition.configuration
        var complaints: [String] = []
        func attempt(_ body: () throws(HalcyonError) -> Void) {
            do throws(HalcyonError) {
                try body()
            } catch {
                complaints += error.message.split(separator: "\n").map(String.init)
            }
        }
        attempt { () throws(HalcyonError) in
            do throws(EnsembleOrder.Failure) {
                _ = try EnsembleOrder.needed(for: configuration.name) { (name) throws(HalcyonError) in
                    try loader.steps(name)
                }
            } catch {
                throw error.error
            }
        }
        attempt { () throws(HalcyonError) in _ = try EnsembleGraph(configuration, ensemble) }
        let keys = ensemble.steps.map { step in
            (try? loader.repository.key(of: step.modelName, near: definition.root)) ?? step.modelName
        }
        let missing = Set(zip(ensemble.steps, keys).filter { !names.contains($1) }.map(\.0.modelName)).sorted()
        if !missing.isEmpty {
            complaints.append(
                "ensemble \(configuration.name) contains models that are not available: "
                    + "\(missing.joined(separator: ", "))"
            )
        }
        var models: [ModelConfiguration?] = []
        for (index, (step, key)) in zip(ensemble.steps, keys).enumerated() {
            // What is wrong with a step's model itself is said where that is looked at.
            guard names.contains(key),
                let other = try? loader.repository.readModel(key, backends: loader.backends)
            else {
                models.append(nil)
                continue
            }
            let version = step.modelVersion.map { wanted in other.versions.first { $0.number == wanted } }
            if let wanted = step.modelVersion, version == .some(nil) {
                complaints.append(
                    "step \(index) of ensemble '\(configuration.name)' needs version \(wanted) of model "
                        + "'\(step.modelName)', which serves "
                        + other.versions.map { String($0.number) }.joined(separator: ", "))
            }
            let effective = try? effective(key, other, version ?? other.versions.last)
            // What a model does not say itself is only known when it is opened.
            models.append(effective.flatMap { $0.inputs.isEmpty || $0.outputs.isEmpty ? nil : $0 })
        }
        attempt { () throws(HalcyonError) in
            try EnsembleGraph.check(configuration, ensemble, againstKnown: models)
        }
        return complaints
    }

    /// A step's preferred batch that requests of this ensemble alone never fill.
    private func warnings(_ ensemble: EnsembleScheduling, _ configuration: ModelConfiguration) -> [String] {
        guard ensemble.maxInflightRequests > 0 else { return [] }
        return ensemble.steps.enumerated().compactMap { index, step in
            guard let model = try? loader.repository.readModel(step.modelName, backends: loader.backends),
                let smallest = model.configuration.dynamicBatching?.preferredBatchSizes.min(),
                smallest > ensemble.maxInflightRequests
            else { return nil }
            return
                "ensemble '\(configuration.name)' has max_inflight_requests \(ensemble.maxInflightRequests), with "
                + "which requests of one item never fill the smallest preferred batch, \(smallest), of step "
                + "\(index), model '\(step.modelName)'"
        }
    }
}
