internal import ModelConfiguration
package import ModelRuntime
package import Tensors

/// Reads model repositories: folders with a folder a model, and in that `config.pbtxt` and a folder a version.
///
/// Nothing that a request or a configuration says reaches outside: names are names of one folder, and every path lies
/// inside its repository once links are resolved. Links that stay inside are fine.
package struct ModelRepositoryReader: Sendable {
    /// Absolute paths without links, in the order of search, each once.
    private let roots: [String]
    /// Whether several repositories may have models of the same name.
    private let allowsSameNames: Bool

    /// - Throws: `notFound` for a path where there is nothing, `invalidArgument` for one that is no folder.
    package init(paths: [String], allowsSameNames: Bool = false) throws(HalcyonError) {
        guard !paths.isEmpty else {
            throw HalcyonError(.invalidArgument, "at least one model repository must be given")
        }
        var roots: [String] = []
        for path in paths {
            switch try FileSystem.kind(path) {
            case .folder:
                let root = try FileSystem.realPath(path)
                if !roots.contains(root) { roots.append(root) }
            case nil: throw HalcyonError(.notFound, "the model repository '\(path)' does not exist")
            default: throw HalcyonError(.invalidArgument, "the model repository '\(path)' is not a folder")
            }
        }
        self.roots = roots
        self.allowsSameNames = allowsSameNames
    }

    /// The keys of the models of all repositories, by name. A folder whose name can't be a model's is passed over.
    package func modelKeys() throws(HalcyonError) -> [String] {
        try folders().flatMap { name, roots in keys(of: name, in: roots) }.sorted()
    }

    /// The repositories that have a folder of each name.
    private func folders(
        where isFolder: (String) -> Bool = { (try? FileSystem.kind($0)) == .folder }
    ) throws(HalcyonError) -> [ModelName: [String]] {
        var folders: [ModelName: [String]] = [:]
        for root in roots {
            for name in try FileSystem.names(in: root) where isFolder("\(root)/\(name)") {
                if let name = try? ModelName(name) { folders[name, default: []].append(root) }
            }
        }
        return folders
    }

    private func keys(of name: ModelName, in roots: [String]) -> [String] {
        guard allowsSameNames, roots.count > 1 else { return [name.rawValue] }
        return roots.map { ModelKey.text(name.rawValue, root: $0) }
    }

    /// The key of the model that an ensemble of the repository `root` means by a name: that of its own repository, if
    /// several have one.
    func key(of name: String, near root: String) throws(HalcyonError) -> String {
        guard allowsSameNames, try FileSystem.kind("\(root)/\(try ModelName(name))") == .folder else { return name }
        var holders = 0
        for root in roots where try FileSystem.kind("\(root)/\(name)") == .folder { holders += 1 }
        return holders > 1 ? ModelKey.text(name, root: root) : name
    }

    /// What the folder of each model looks like, by key: equal for equal contents, and `nil` for one that can't be read.
    package func fingerprints() throws(HalcyonError) -> [String: UInt64?] {
        var fingerprints: [String: UInt64?] = [:]
        let folders = try folders { path in
            (try? FileSystem.kind(path)) == .folder || FileSystem.isUnreachable(path)
        }
        for (name, roots) in folders {
            let keys = keys(of: name, in: roots)
            for (index, root) in roots.enumerated() {
                let key = keys[min(index, keys.count - 1)]
                let path = "\(root)/\(name)"
                do {
                    let found = try FileSystem.fingerprint(of: path)
                    if case .some(nil) = fingerprints[key] { continue }
                    fingerprints[key] = ((fingerprints[key] ?? nil) ?? 0) ^ found
                } catch {
                    // One that goes while it is looked at is gone.
                    let isGone = (try? FileSystem.kind(path)) == .some(nil)
                    if !isGone { fingerprints.updateValue(nil, forKey: key) }
                }
            }
        }
        return fingerprints
    }

    /// Reads one model.
    ///
    /// - Throws: `notFound` for a name that no repository has; `invalidArgument` with every complaint about the
    ///   configuration, or for a path that leads out of the repository; `unavailable` or `internal` where a file is
    ///   missing or can't be read.
    ///   - json: the configuration, in place of the one that lies in the repository.
    /// - Parameters:
    ///   - key: the model's name, or its whole key.
    package func readModel(
        _ key: String, backends: [String: any Backend], json: String? = nil
    ) throws(HalcyonError) -> ModelDefinition {
        let key = try ModelKey(key)
        let name = key.name
        let (root, directory) = try find(key)
        try FileSystem.confine(directory, to: root)
        var (configuration, diagnostics) = try readConfiguration(name, directory, root: root, json: json)
        let folders = try versionFolders(in: directory)
        let chosen = VersionSelection.versions(folders.versions, policy: configuration.versionPolicy)
        guard let newest = chosen.last else { throw noVersion(name, directory, folders) }
        for version in chosen { try FileSystem.confine("\(directory)/\(version)", to: root) }
        let files = try FileSystem.names(in: "\(directory)/\(newest)")
        let engine = try EngineSelection.select(&configuration, files: files, backends: backends)
        var versions: [ModelDefinition.Version] = []
        for version in chosen {
            let folder = "\(directory)/\(version)"
            try FileSystem.confineContents(of: folder, to: root)
            let filename = try modelFilename(engine, in: folder, of: configuration)
            versions.append(
                ModelDefinition.Version(
                    number: version, modelPath: filename.map { "\(folder)/\($0)" }, filename: filename))
        }
        let absent = VersionSelection.absentVersions(folders.versions, policy: configuration.versionPolicy)
        return ModelDefinition(
            configuration: configuration, diagnostics: diagnostics,
            notices: folders.notices
                + absent.map {
                    "version \($0) is specified for model '\(name)', but the version directory is not present"
                },
            engine: engine, root: root, directory: directory, versions: versions)
    }

    /// The labels of the outputs that have a label file, by output.
    ///
    /// - Throws: `unsupported` for a file outside of the model's folder; `invalidArgument` or `internal` for one that
    ///   can't be read.
    package func labels(of definition: ModelDefinition) throws(HalcyonError) -> [String: [String]] {
        let directory = try FileSystem.realPath(definition.directory)
        var labels: [String: [String]] = [:]
        for output in definition.configuration.outputs where !output.labelFilename.isEmpty {
            let path = "\(definition.directory)/\(output.labelFilename)"
            guard FileSystem.isInside(try FileSystem.realPath(path), directory) else {
                throw HalcyonError(
                    .unsupported,
                    "label file path '\(path)' for output '\(output.name)' in model '\(definition.configuration.name)' is "
                        + "outside model directory")
            }
            labels[output.name] = try LabelFile.read(path)
        }
        return labels
    }

    // MARK: The model's folder

    private func find(_ key: ModelKey) throws(HalcyonError) -> (root: String, directory: String) {
        let name = key.name
        var holders: [String] = []
        for root in roots where try FileSystem.kind("\(root)/\(name)") == .folder { holders.append(root) }
        if let wanted = key.root { holders = holders.filter { allowsSameNames && $0 == wanted } }
        guard let root = holders.first else {
            throw HalcyonError(
                .notFound,
                "failed to load '\(name)', failed to poll from model repository: there is no folder of that name in "
                    + roots.joined(separator: " or "))
        }
        guard holders.count == 1 else {
            throw HalcyonError(
                .invalidArgument,
                "failed to load '\(name)', model name must be unique across all model repositories: it is in "
                    + holders.joined(separator: " and ")
                    + (allowsSameNames ? "; write a repository's path, a slash and the name" : ""))
        }
        return (root, "\(root)/\(name)")
    }

    private func readConfiguration(
        _ name: ModelName, _ directory: String, root: String, json: String?
    ) throws(HalcyonError) -> (configuration: ModelConfiguration, warnings: [ConfigurationDiagnostic]) {
        if let json {
            return try ConfigurationReader.configuration(
                Array(json.utf8), file: "the configuration of the request", modelName: name.rawValue, form: .json)
        }
        let path = "\(directory)/config.pbtxt"
        guard try FileSystem.kind(path) != nil else { return (ModelConfiguration(name: name.rawValue), []) }
        let resolved = try FileSystem.confine(path, to: root)
        let bytes = try FileSystem.read(resolved, most: ConfigurationReader.maximumByteCount)
        return try ConfigurationReader.configuration(bytes, file: path, modelName: name.rawValue)
    }

    /// What a model's `config.pbtxt` says; empty where it has none.
    func configurationText(_ key: String) throws(HalcyonError) -> [UInt8] {
        let (root, directory) = try find(try ModelKey(key))
        let path = "\(directory)/config.pbtxt"
        guard try FileSystem.kind(path) != nil else { return [] }
        return try FileSystem.read(try FileSystem.confine(path, to: root), most: ConfigurationReader.maximumByteCount)
    }

    // MARK: Versions

    private struct VersionFolders {
        var versions: [Int64] = []
        var notices: [String] = []
    }

    /// The version folders: those with a decimal number from 1 without leading zeros for a name, as in the reference.
    private func versionFolders(in directory: String) throws(HalcyonError) -> VersionFolders {
        var folders = VersionFolders()
        for name in try FileSystem.names(in: directory) {
            guard name.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                try FileSystem.kind("\(directory)/\(name)") == .folder
            else { continue }
            if let version = Int64(name), version > 0, String(version) == name {
                folders.versions.append(version)
            } else {
                folders.notices.append(
                    "ignore version directory '\(name)' of '\(directory)': a version is a number from 1 to \(Int64.max) "
                        + "without leading zeros")
            }
        }
        return folders
    }

    private func noVersion(_ name: ModelName, _ directory: String, _ folders: VersionFolders) -> HalcyonError {
        let present = folders.versions.sorted().map(String.init).joined(separator: ", ")
        let found = folders.versions.isEmpty ? "no version folder" : "version \(present)"
        return HalcyonError(
            .invalidArgument,
            ([
                "at least one version must be available under the version policy of model '\(name)': '\(directory)' has \(found)"
            ]
                + folders.notices).joined(separator: "; "))
    }

    /// - Returns: `nil` for an engine that needs no file.
    private func modelFilename(
        _ engine: EngineSelection, in folder: String, of configuration: ModelConfiguration
    ) throws(HalcyonError) -> String? {
        guard !engine.filenames.isEmpty else { return nil }
        for filename in engine.filenames {
            switch try FileSystem.kind("\(folder)/\(filename)") {
            case .file, .folder: return filename
            case .other:
                throw HalcyonError(.invalidArgument, "'\(folder)/\(filename)' is neither a file nor a folder")
            case nil: continue
            }
        }
        guard configuration.defaultModelFilename.isEmpty else {
            throw HalcyonError(
                .internal,
                "failed to stat file \(folder)/\(configuration.defaultModelFilename), which default_model_filename names: "
                    + "there is none")
        }
        throw HalcyonError(
            .unavailable,
            "model '\(configuration.name)' has no model file: '\(folder)' holds none of "
                + engine.filenames.joined(separator: ", ") + "; default_model_filename can name another")
    }
}
