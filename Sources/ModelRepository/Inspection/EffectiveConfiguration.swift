package import ModelConfigurations
internal import ModelRuntime
package import Tensors

/// A model's configuration as it takes effect, and where each part of it comes from.
package struct EffectiveConfiguration: Sendable {
    package enum Origin: Hashable, Sendable {
        case written(line: Int, column: Int)
        /// Completed from what the model says of itself.
        case model
        /// From the names of files and folders.
        case files
        case standard
        /// The default of a model that says itself that it batches.
        case standardOfBatching
    }

    package let configuration: ModelConfiguration
    /// The file of what is written, from the model's folder on.
    package let file: String
    private let positions: [String: Origin]

    init(configuration: ModelConfiguration, text: [UInt8], file: String) {
        self.configuration = configuration
        self.file = file
        positions = FieldPositions.read(text, file: file).mapValues {
            Origin.written(line: $0.line, column: $0.column)
        }
    }

    /// Where a field's value comes from.
    ///
    /// - Parameter path: as in ``ConfigurationText/Line``.
    package func origin(of path: String) -> Origin {
        if let written = positions[path] { return written }
        let top = String(path.prefix { $0 != "." && $0 != "[" })
        switch top {
        // Each says what the other is.
        case "backend" where positions["platform"] != nil: return positions["platform"] ?? .files
        case "platform" where positions["backend"] != nil: return positions["backend"] ?? .files
        case "max_batch_size": return configuration.maxBatchSize > 0 ? .standardOfBatching : .model
        case "name", "platform", "backend", "default_model_filename": return .files
        // What is added to a message that is written is a default, a message that is not written is the model's.
        case "input", "output", "dynamic_batching":
            return positions.keys.contains { $0.hasPrefix(top) } ? .standard : .model
        default: return .standard
        }
    }
}

extension ModelLoader {
    /// The configuration of a model as it would be loaded, without loading it.
    ///
    /// - Throws: whatever is wrong with the model.
    package func effectiveConfiguration(_ name: String) throws(HalcyonError) -> EffectiveConfiguration {
        let definition = try repository.readModel(name, backends: backends)
        let (text, file) = try repository.configurationText(name)
        guard definition.configuration.ensemble == nil else {
            return EffectiveConfiguration(
                configuration: try ConfigurationCompletion.complete(
                    definition.configuration, signature: nil, options: completion), text: text, file: file)
        }
        let configuration = try effectiveConfiguration(definition)
        return EffectiveConfiguration(configuration: configuration, text: text, file: file)
    }

    /// The configuration of the newest version, which is opened for that.
    func effectiveConfiguration(_ definition: ModelDefinition) throws(HalcyonError) -> ModelConfiguration {
        guard let version = definition.versions.last else {
            throw HalcyonError(.internal, "model '\(definition.configuration.name)' has no version")
        }
        return try effectiveConfiguration(definition, version)
    }

    /// The configuration of a version, which is opened for that.
    func effectiveConfiguration(
        _ definition: ModelDefinition, _ version: ModelDefinition.Version
    ) throws(HalcyonError) -> ModelConfiguration {
        guard let backend = backends[definition.engine.backendName] else {
            throw HalcyonError(
                .internal,
                "model '\(definition.configuration.name)': no backend '\(definition.engine.backendName)' is registered")
        }
        return try complete(
            definition, version, try open(definition, version, with: backend), placement(of: backend))
    }
}
