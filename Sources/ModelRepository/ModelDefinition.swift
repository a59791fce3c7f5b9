package import ModelConfigurations

/// A model as it lies in a repository.
package struct ModelDefinition: Sendable {
    /// One version that is to be served.
    package struct Version: Hashable, Sendable {
        package var number: Int64
        /// The absolute path of the model file or folder; `nil` for a model without one.
        package var modelPath: String?
        /// That path from the version folder on, which is what `default_model_filename` would say.
        package var filename: String?
        /// Whether it lies in a version folder, and not in the model's folder itself.
        package var hasOwnFolder: Bool

        package init(number: Int64, modelPath: String?, filename: String?, hasOwnFolder: Bool = true) {
            self.number = number
            self.modelPath = modelPath
            self.filename = filename
            self.hasOwnFolder = hasOwnFolder
        }
    }

    /// As written, with platform and backend completed.
    package var configuration: ModelConfiguration
    /// Warnings about what is written.
    package var diagnostics: [ConfigurationDiagnostic]
    /// What an operator should know of the folder: version folders that are passed over, versions that are absent.
    package var notices: [String]
    package var engine: EngineSelection
    /// The absolute path of its repository, as it was given.
    package var root: String
    /// That without links.
    package var folder: String
    /// The absolute path of the model's folder.
    package var directory: String
    /// The versions that the policy chooses, ascending; at least one.
    package var versions: [Version]

    /// The folder of one of the versions.
    func folder(of version: Version) -> String { version.hasOwnFolder ? "\(directory)/\(version.number)" : directory }
}
