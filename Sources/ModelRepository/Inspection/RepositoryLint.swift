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
            for complaint in complaints(ensemble, of: definition, among: names) { add(.error, complaint) }
            for warning in warnings(ensemble, definition.configuration) { add(.warning, warning) }
            return findings
        }
        // All versions are opened, if any is; what the others say is mostly the same.
        for version in opensModels ? definition.versions : definition.versions.suffix(1) {
            attempt { () throws(HalcyonError) in
                let configuration = try effective(definition, version)
                for warning in ConfigurationCheck.warnings(configuration) { add(.warning, warning) }
                for complaint in LoadChecks.complaints(
                    configuration, directory: definition.directory, placement(definition))
                {
                    for line in complaint.message.split(separator: "\n") { add(.error, String(line)) }
                }
                _ = try WarmUpItems.read(configuration, directory: definition.directory)
            }
        }
        var seen: Set<Finding> = []
        return findings.filter { seen.insert($0).inserted }
    }

    /// Without its engine a model is taken at its configuration's word.
    private func effective(
        _ definition: ModelDefinition, _ version: ModelDefinition.Version?
    ) throws(HalcyonError) -> ModelConfiguration {
        if opensModels, definition.configuration.ensemble == nil, let version {
            return try loader.effectiveConfiguration(definition, version)
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
                "ensemble \(configuration.name) contains models that are not available: \(missing.joined(separator: ", "))"
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
            let effective = try? effective(other, version ?? other.versions.last)
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
                "ensemble '\(configuration.name)' has max_inflight_requests \(ensemble.maxInflightRequests), with which "
                + "requests of one item never fill the smallest preferred batch, \(smallest), of step \(index), model "
                + "'\(step.modelName)'"
        }
    }
}
