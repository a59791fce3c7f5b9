package import ModelConfiguration
internal import ModelRuntime
package import Tensors

/// Looks for everything that is wrong with a repository, without loading it.
package struct RepositoryLint: Sendable {
    package struct Finding: Hashable, Sendable {
        package var model: String
        package var severity: ConfigurationDiagnostic.Severity
        /// One sentence or more, with file, line and column where there is one.
        package var text: String
    }

    private let loader: ModelLoader
    /// Whether models are opened by their engines, to be compared with their configurations.
    private let opensModels: Bool

    package init(_ loader: ModelLoader, opensModels: Bool) {
        self.loader = loader
        self.opensModels = opensModels
    }

    /// Everything that is wrong, model by model.
    ///
    /// - Throws: where a repository can't be read at all.
    package func findings() throws(HalcyonError) -> [Finding] {
        let names = try loader.modelKeys()
        return names.flatMap { findings(of: $0, among: Set(names)) }
    }

    private func findings(of name: String, among names: Set<String>) -> [Finding] {
        var findings: [Finding] = []
        func add(_ severity: ConfigurationDiagnostic.Severity, _ text: String) {
            findings.append(Finding(model: name, severity: severity, text: text))
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
        for diagnostic in definition.diagnostics { add(diagnostic.severity, diagnostic.description) }
        for notice in definition.notices { add(.warning, notice) }
        attempt { () throws(HalcyonError) in _ = try loader.repository.labels(of: definition) }
        if let ensemble = definition.configuration.ensemble {
            attempt { () throws(HalcyonError) in try check(ensemble, definition.configuration, among: names) }
            return findings
        }
        attempt { () throws(HalcyonError) in
            let configuration = try effective(definition)
            for warning in ConfigurationCheck.warnings(configuration) { add(.warning, warning) }
            try ConfigurationCheck.checkWarmUps(configuration)
            _ = try WarmUpItems.read(configuration, directory: definition.directory)
            _ = try configuration.sequenceBatching.map { sequences throws(HalcyonError) in
                try InitialStates.read(sequences, directory: definition.directory)
            }
            _ = try InstancePlan.instances(of: configuration, placement: placement(definition))
        }
        return findings
    }

    /// Without its engine a model is taken at its configuration's word.
    private func effective(_ definition: ModelDefinition) throws(HalcyonError) -> ModelConfiguration {
        if opensModels { return try loader.effectiveConfiguration(definition.configuration.name).configuration }
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

    private func check(
        _ ensemble: EnsembleScheduling, _ configuration: ModelConfiguration, among names: Set<String>
    ) throws(HalcyonError) {
        do {
            _ = try EnsembleOrder.needed(for: configuration.name) { (name) throws(HalcyonError) in
                try loader.steps(name)
            }
        } catch {
            throw error.error
        }
        _ = try EnsembleGraph(configuration, ensemble)
        let missing = Set(ensemble.steps.map(\.modelName)).subtracting(names).sorted()
        guard missing.isEmpty else {
            throw HalcyonError(
                .invalidArgument,
                "ensemble \(configuration.name) contains models that are not available: \(missing.joined(separator: ", "))"
            )
        }
        var models: [ModelConfiguration] = []
        for step in ensemble.steps {
            let definition = try loader.repository.readModel(step.modelName, backends: loader.backends)
            models.append(try effective(definition))
        }
        // What the models do not say themselves is only known when they are opened.
        guard models.allSatisfy({ !$0.inputs.isEmpty && !$0.outputs.isEmpty }) else { return }
        try EnsembleGraph.check(configuration, ensemble, against: models)
    }
}
