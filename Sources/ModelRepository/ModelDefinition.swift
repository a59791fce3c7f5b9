package import ModelConfiguration

/// A model as it lies in a repository.
package struct ModelDefinition: Sendable {
    /// One version that is to be served.
    package struct Version: Hashable, Sendable {
        package var number: Int64
        /// The absolute path of the model file or folder; `nil` for a model without one.
        package var modelPath: String?
        /// The last component of that path.
        package var filename: String?
    }

    /// As written, with platform and backend completed.
    package var configuration: ModelConfiguration
    /// Warnings about what is written.
    package var diagnostics: [ConfigurationDiagnostic]
    package var engine: EngineSelection
    /// The absolute path of the model's folder.
    package var directory: String
    /// The versions that the policy chooses, ascending; at least one.
    package var versions: [Version]
}
