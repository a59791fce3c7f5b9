internal import ModelConfiguration
package import ModelRuntime
package import Tensors

/// Reads model repositories: folders with a folder a model, and in that `config.pbtxt` and a folder a version.
///
/// Nothing that a request or a configuration says reaches outside: names are names of one folder, and every path lies
/// inside its repository once links are resolved. Links that stay inside are fine.
package struct ModelRepositoryReader: Sendable {
    /// The largest label file that is read, in bytes.
    private static let maximumLabelBytes = 4 << 20

    /// Absolute paths without links, in the order of search.
    private let roots: [String]

    /// - Throws: `notFound` or `invalidArgument` for a path that is no folder.
    package init(paths: [String]) throws(HalcyonError) {
        guard !paths.isEmpty else { throw HalcyonError(.invalidArgument, "at least one model repository must be given") }
        var roots: [String] = []
        for path in paths {
            switch FileSystem.kind(path) {
            case .folder: roots.append(try FileSystem.realPath(path))
            case nil: throw HalcyonError(.notFound, "the model repository '\(path)' does not exist")
            default: throw HalcyonError(.invalidArgument, "the model repository '\(path)' is not a folder")
            }
        }
        self.roots = roots
    }

    /// The models of all repositories, by name. A folder whose name can't be a model's is passed over.
    package func modelNames() throws(HalcyonError) -> [ModelName] {
        var names: Set<ModelName> = []
        for root in roots {
            for name in try FileSystem.names(in: root) where FileSystem.kind("\(root)/\(name)") == .folder {
                if let name = try? ModelName(name) { names.insert(name) }
            }
        }
        return names.sorted()
    }

    /// Reads one model.
    ///
    /// - Throws: `notFound` for a name that no repository has; `invalidArgument` with every complaint about the
    ///   configuration; `unavailable` or `internal` where a version or its model file is missing.
    package func readModel(
        _ name: ModelName, backends: [String: any Backend]
    ) throws(HalcyonError) -> ModelDefinition {
        let (root, directory) = try find(name)
        try FileSystem.confine(directory, to: root)
        var (configuration, diagnostics) = try readConfiguration(name, directory, root: root)
        let available = try versions(in: directory)
        let chosen = VersionSelection.versions(available, policy: configuration.versionPolicy)
        guard let newest = chosen.last else {
            let found = available.isEmpty ? "no version folder" : "the versions \(available)"
            throw HalcyonError(
                .unavailable,
                "at least one version must be available under the version policy of model '\(name)': '\(directory)' has "
                    + found)
        }
        let files = try FileSystem.names(in: try versionFolder(newest, in: directory, root: root))
        let engine = try EngineSelection.select(&configuration, files: files, backends: backends)
        var versions: [ModelDefinition.Version] = []
        for version in chosen {
            let folder = try versionFolder(version, in: directory, root: root)
            let path = try modelPath(engine, in: folder, of: configuration, root: root)
            versions.append(
                ModelDefinition.Version(
                    number: version, modelPath: path, filename: path.flatMap { $0.split(separator: "/").last.map(String.init) }))
        }
        return ModelDefinition(
            configuration: configuration, diagnostics: diagnostics, engine: engine, directory: directory,
            versions: versions)
    }

    private func find(_ name: ModelName) throws(HalcyonError) -> (root: String, directory: String) {
        let holders = roots.filter { FileSystem.kind("\($0)/\(name)") == .folder }
        guard let root = holders.first else {
            throw HalcyonError(
                .notFound, "failed to load '\(name)', failed to poll from model repository: no repository has that model")
        }
        guard holders.count == 1 else {
            throw HalcyonError(
                .invalidArgument,
                "failed to load '\(name)', model name must be unique across all model repositories: it is in "
                    + holders.joined(separator: " and "))
        }
        return (root, "\(root)/\(name)")
    }

    private func readConfiguration(
        _ name: ModelName, _ directory: String, root: String
    ) throws(HalcyonError) -> (configuration: ModelConfiguration, warnings: [ConfigurationDiagnostic]) {
        let path = "\(directory)/config.pbtxt"
        guard FileSystem.kind(path) != nil else { return (ModelConfiguration(name: name.rawValue), []) }
        try FileSystem.confine(path, to: root)
        let bytes = try FileSystem.read(path, most: ConfigurationReader.maximumByteCount)
        return try ConfigurationReader.configuration(bytes, file: path, modelName: name.rawValue)
    }

    /// The numbers of the version folders: decimal, from 1, without leading zeros, as in the reference.
    private func versions(in directory: String) throws(HalcyonError) -> [Int64] {
        try FileSystem.names(in: directory).compactMap { name in
            guard let version = Int64(name), version > 0, String(version) == name,
                FileSystem.kind("\(directory)/\(name)") == .folder
            else { return nil }
            return version
        }.sorted()
    }

    private func versionFolder(
        _ version: Int64, in directory: String, root: String
    ) throws(HalcyonError) -> String {
        let folder = "\(directory)/\(version)"
        try FileSystem.confine(folder, to: root)
        return folder
    }

    private func modelPath(
        _ engine: EngineSelection, in folder: String, of configuration: ModelConfiguration, root: String
    ) throws(HalcyonError) -> String? {
        guard !engine.filenames.isEmpty else { return nil }
        for filename in engine.filenames {
            let path = "\(folder)/\(filename)"
            if FileSystem.kind(path) != nil {
                try FileSystem.confine(path, to: root)
                return path
            }
        }
        guard configuration.defaultModelFilename.isEmpty else {
            throw HalcyonError(.internal, "failed to stat file \(folder)/\(configuration.defaultModelFilename)")
        }
        throw HalcyonError(
            .unavailable,
            "model '\(configuration.name)' has no model file: '\(folder)' holds none of "
                + engine.filenames.joined(separator: ", "))
    }

    /// The labels of the outputs that have a label file, by output: a label a line.
    package func labels(of definition: ModelDefinition) throws(HalcyonError) -> [String: [String]] {
        var labels: [String: [String]] = [:]
        for output in definition.configuration.outputs where !output.labelFilename.isEmpty {
            let path = "\(definition.directory)/\(output.labelFilename)"
            try FileSystem.confine(path, to: try FileSystem.realPath(definition.directory))
            let bytes = try FileSystem.read(path, most: Self.maximumLabelBytes)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw HalcyonError(.invalidArgument, "the label file '\(path)' is not UTF-8")
            }
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
                String($0.hasSuffix("\r") ? $0.dropLast() : $0)
            }
            while lines.last?.isEmpty == true { lines.removeLast() }
            labels[output.name] = lines
        }
        return labels
    }
}
