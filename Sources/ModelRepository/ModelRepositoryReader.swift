internal import ModelConfigurations
package import ModelRuntime
package import Tensors
internal import Threads

/// Where models are looked for.
private struct SearchedRepository: Sendable {
    /// Absolute, with links as they are.
    let path: String
    /// The folders of the models that have another name than theirs.
    var folders: [ModelName: ModelName] = [:]
}

/// Reads model repositories: folders with a folder a model, and in that `config.pbtxt` and a folder a version.
///
/// Nothing that a request or a configuration says reaches outside: names are names of one folder, and every path lies
/// inside its repository once links are resolved, unless links are to be followed. A repository may be a link itself,
/// which is looked up again by every call: what it leads to may be swapped for another folder at any time.
package struct ModelRepositoryReader: Sendable {
    /// In the order of search. All copies of a reader share them.
    private let sources: Locked<[SearchedRepository]>
    /// Whether several repositories may have models of the same name.
    private let allowsSameNames: Bool
    /// Where backends were looked for that are no part of the server, for errors.
    package var backendFolders: [String] = []
    /// Whether links in a repository may lead out of it.
    package var followsLinks = false
    /// A repository whose links may lead out of it all the same, as the server made them. Nothing below the links is
    /// looked at but what an engine opens, and a model there is made again whenever it is loaded.
    private let own: (repository: PrivateRepository, folder: String)?
    /// How far a look at what belongs to a model goes.
    package var limits = WalkLimits()
    /// Which configuration models are to have that have several: that in `configs/NAME.pbtxt`, where there is one.
    /// Empty for `config.pbtxt`.
    private var configurationName = ""
    /// What a model is called that lies in place of a repository; `nil` for the name of its folder.
    private var loneModelName: ModelName?

    /// - Parameters:
    ///   - mustExist: whether a repository that is not there is an error now, and not only when it is read.
    ///   - own: one that the server made itself; it is searched last.
    /// - Throws: `notFound` for a path where there is nothing, `invalidArgument` for one that is no folder.
    package init(
        paths: [String], allowsSameNames: Bool = false, mustExist: Bool = true, own: PrivateRepository? = nil
    ) throws(HalcyonError) {
        guard !paths.isEmpty || own != nil else {
            throw HalcyonError(.invalidArgument, "at least one model repository must be given")
        }
        var roots: [String] = []
        for path in try paths.map({ path throws(HalcyonError) in try RepositoryPath.local(path) }) {
            if mustExist { try Self.check(path) }
            let root = try FileSystem.absolutePath(path)
            if !roots.contains(root) { roots.append(root) }
        }
        if let own { roots.append(own.path) }
        self.own = try own.map { own throws(HalcyonError) in (own, try FileSystem.realPath(own.path)) }
        sources = Locked(roots.map { SearchedRepository(path: $0) })
        self.allowsSameNames = allowsSameNames
    }

    /// Absolute paths, with links as they are, in the order of search.
    private var roots: [String] { sources.withLock { $0.map(\.path) } }

    /// Searches another repository from now on, behind the others.
    ///
    /// - Parameter folders: of the models that have another name than theirs, by the models' names. One that is named
    ///   here comes before all of that name in other repositories.
    /// - Throws: `alreadyExists` for one that is searched already; `invalidArgument` for what is no folder, a model's
    ///   folder that is not there, or a name that no model may have.
    package func add(_ given: String, folders: [String: String]) throws(HalcyonError) {
        let path = try FileSystem.absolutePath(try RepositoryPath.local(given))
        guard try FileSystem.kind(path) != nil else {
            throw HalcyonError(.invalidArgument, "failed to register '\(given)', repository not found")
        }
        try Self.check(path)
        var source = SearchedRepository(path: path)
        for (name, folder) in folders.sorted(by: { $0.key < $1.key }) {
            let folder = try ModelName(folder)
            guard try FileSystem.kind("\(path)/\(folder)") == .folder else {
                throw HalcyonError(
                    .invalidArgument,
                    "the repository '\(path)' has no folder '\(folder)', which is to be served as '\(name)'")
            }
            source.folders[try ModelName(name)] = folder
        }
        try sources.withLock { [source] sources throws(HalcyonError) in
            guard !sources.contains(where: { $0.path == path }) else {
                throw HalcyonError(.alreadyExists, "model repository '\(given)' has already been registered")
            }
            sources.append(source)
        }
    }

    /// Searches a repository no more. What is loaded of it stays.
    ///
    /// - Throws: `invalidArgument` for one that is not searched.
    package func remove(_ given: String) throws(HalcyonError) {
        let path = try FileSystem.absolutePath(try RepositoryPath.local(given))
        try sources.withLock { sources throws(HalcyonError) in
            guard let index = sources.firstIndex(where: { $0.path == path }) else {
                throw HalcyonError(.invalidArgument, "failed to unregister '\(given)', repository not found")
            }
            sources.remove(at: index)
        }
    }

    /// Has models take the configuration of that name where they have one.
    ///
    /// - Throws: `invalidArgument` for what is no file's name.
    package mutating func prefer(configuration name: String) throws(HalcyonError) {
        let isPlain = !name.unicodeScalars.contains { $0 == "/" || $0.properties.isWhitespace || $0.value < 0x20 }
        guard isPlain, name.utf8.count <= 200, name.utf8.first != UInt8(ascii: ".") else {
            throw HalcyonError(
                .invalidArgument,
                "--model-config-name takes the name of a file NAME.pbtxt in the models' folder 'configs', without "
                    + "spaces, slashes and the ending, got '\(name.prefix(200))'")
        }
        configurationName = name
    }

    /// Has a model that lies in place of a repository served under a name; an empty one for that of its folder.
    ///
    /// - Throws: `invalidArgument` for what is no model's name.
    package mutating func callLoneModel(_ name: String) throws(HalcyonError) {
        do throws(HalcyonError) {
            loneModelName = name.isEmpty ? nil : try ModelName(name)
        } catch {
            throw error.prefixed("--model-name: ")
        }
    }

    /// What is wrong with a repository now; `nil` where all are folders.
    package func complaint() -> HalcyonError? {
        for root in roots {
            do throws(HalcyonError) {
                try Self.check(root)
            } catch {
                return error
            }
        }
        return nil
    }

    private static func check(_ path: String) throws(HalcyonError) {
        switch try FileSystem.kind(path) {
        case .folder: return
        case nil:
            throw HalcyonError(.notFound, "the model repository '\(path)' does not exist\(RepositoryPath.advice(path))")
        default: throw HalcyonError(.invalidArgument, "the model repository '\(path)' is not a folder")
        }
    }

    // MARK: Models

    /// A repository at this moment.
    fileprivate struct Root: Hashable {
        /// As it was given, and as keys have it.
        var path: String
        /// Without links.
        var folder: String
        /// Where the folder is a model and no repository.
        var lone: LoneModel?
        /// By the names of the models that are called otherwise.
        var folders: [ModelName: ModelName] = [:]

        /// The folder of a model, whether it is there or not.
        func directory(of name: ModelName) -> String {
            lone?.name == name ? folder : "\(folder)/\(folders[name] ?? name)"
        }

        func has(_ name: ModelName) throws(HalcyonError) -> Bool {
            if let lone { return lone.name == name }
            guard folders[name] != nil || !isRenamed(name) else { return false }
            return try FileSystem.kind("\(folder)/\(folders[name] ?? name)") == .folder
        }

        /// Whether the model of a folder is called otherwise.
        private func isRenamed(_ folder: ModelName) -> Bool { folders.values.contains(folder) }

        /// What the models of a folder are called: none where its own name is another folder's model.
        func names(of folder: ModelName) -> [ModelName] {
            let names = folders.filter { $0.value == folder }.map(\.key)
            return names.isEmpty && folders[folder] == nil ? [folder] : names
        }
    }

    /// Each folder once. Those that can't be reached are left out if `isLenient`.
    private func current(isLenient: Bool = false) throws(HalcyonError) -> [Root] {
        var current: [Root] = []
        for source in sources.withLock({ $0 }) {
            do throws(HalcyonError) {
                let folder = try FileSystem.realPath(source.path)
                if !current.contains(where: { $0.folder == folder }) {
                    let lone = isOwn(folder) ? nil : LoneModel(in: folder, named: loneModelName)
                    current.append(Root(path: source.path, folder: folder, lone: lone, folders: source.folders))
                }
            } catch  where isLenient {
                continue
            }
        }
        return current
    }

    /// The keys of the models of all repositories, by name. A folder whose name can't be a model's is passed over.
    ///
    /// - Parameter isLenient: whether repositories that can't be reached count as empty.
    package func modelKeys(isLenient: Bool = false) throws(HalcyonError) -> [String] {
        try folders(in: current(isLenient: isLenient)).flatMap { name, roots in keys(of: name, in: roots) }.sorted()
    }

    /// The keys of the models that a client means by a name or a key: several where several repositories have one of
    /// that name; the name itself where none has.
    package func keys(named name: String) throws(HalcyonError) -> [String] {
        guard usesKeys, name.utf8.first != UInt8(ascii: "/") else { return [name] }
        let name = try ModelName(name)
        let holders = try holders(of: name, isLenient: true)
        return holders.isEmpty ? [name.rawValue] : keys(of: name, in: holders)
    }

    /// Whether models are told apart by their repositories too.
    private var usesKeys: Bool { allowsSameNames && roots.count > 1 }

    /// The repositories that have a folder of each name.
    private func folders(
        in current: [Root], where isFolder: (String) -> Bool = { (try? FileSystem.kind($0)) == .folder }
    ) throws(HalcyonError) -> [ModelName: [Root]] {
        var folders: [ModelName: [Root]] = [:]
        for root in current {
            if let lone = root.lone {
                folders[lone.name, default: []].append(root)
                continue
            }
            for name in try FileSystem.names(in: root.folder) where isFolder("\(root.folder)/\(name)") {
                guard let folder = try? ModelName(name) else { continue }
                for name in root.names(of: folder) { folders[name, default: []].append(root) }
            }
        }
        return folders
    }

    private func holders(of name: ModelName, isLenient: Bool) throws(HalcyonError) -> [Root] {
        var holders: [Root] = []
        for root in try current(isLenient: isLenient) where try root.has(name) { holders.append(root) }
        let named = holders.filter { $0.folders[name] != nil }
        return named.isEmpty ? holders : named
    }

    private func keys(of name: ModelName, in roots: [Root]) -> [String] {
        guard usesKeys else { return [name.rawValue] }
        return roots.map { ModelKey.text(name.rawValue, root: $0.path) }
    }

    /// The key of the model that an ensemble of the repository `root` means by a name: that of its own repository, if
    /// several have one.
    func key(of name: String, near root: String) throws(HalcyonError) -> String {
        guard usesKeys else { return name }
        let holders = try holders(of: try ModelName(name), isLenient: true)
        if let own = holders.first(where: { $0.path == root }) { return ModelKey.text(name, root: own.path) }
        guard let only = holders.first, holders.count == 1 else { return name }
        return ModelKey.text(name, root: only.path)
    }

    /// What the folder of each model looks like, by key: equal for equal contents, and `nil` for one that can't be
    /// read.
    ///
    /// - Parameter note: told why one can't be read.
    /// - Throws: where a repository can't be read.
    package func fingerprints(
        _ note: (_ key: String, HalcyonError) -> Void = { _, _ in }
    ) throws(HalcyonError) -> [String: UInt64?] {
        var fingerprints: [String: UInt64?] = [:]
        let folders = try folders(in: current()) { path in
            (try? FileSystem.kind(path)) == .folder || FileSystem.isUnreachable(path)
        }
        for (name, roots) in folders {
            let keys = keys(of: name, in: roots)
            for (index, root) in roots.enumerated() {
                let key = keys[min(index, keys.count - 1)]
                let path = root.directory(of: name)
                do {
                    let found = try walk(in: root.folder).fingerprint(of: path)
                    if case .some(nil) = fingerprints[key] { continue }
                    fingerprints[key] = ((fingerprints[key] ?? nil) ?? 0) ^ found
                } catch {
                    // One that goes while it is looked at is gone.
                    let isGone = (try? FileSystem.kind(path)) == .some(nil)
                    guard !isGone else { continue }
                    note(key, error)
                    fingerprints.updateValue(nil, forKey: key)
                }
            }
        }
        return fingerprints
    }

    func walk(in root: String) -> FolderWalk { FolderWalk(root: followsLinks ? nil : root, limits: limits) }

    /// Checks that what a repository seems to have lies in it, where links are not to be followed.
    ///
    /// - Returns: the path without links.
    private func confine(_ path: String, to root: String) throws(HalcyonError) -> String {
        try followsLinks || isOwn(root) ? FileSystem.realPath(path) : FileSystem.confine(path, to: root)
    }

    /// Whether the server made a repository itself, of model files that lie elsewhere.
    ///
    /// - Parameter root: its path without links.
    func isOwn(_ root: String) -> Bool { own?.folder == root }

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
        try readModel(try writtenModel(key, json: json), backends: backends)
    }

    /// Reads a model whose configuration was read.
    ///
    /// - Throws: as ``readModel(_:backends:json:)``.
    func readModel(
        _ written: WrittenModel, backends: [String: any Backend]
    ) throws(HalcyonError) -> ModelDefinition {
        var configuration = written.configuration
        let (name, root, directory) = (written.name, written.root, written.directory)
        let lone = root.lone?.filename
        if let lone, configuration.defaultModelFilename.isEmpty { configuration.defaultModelFilename = lone }
        let folders = try lone == nil ? versionFolders(in: directory) : VersionFolders(versions: [1])
        let folder = { (version: Int64) in lone == nil ? "\(directory)/\(version)" : directory }
        let chosen = VersionSelection.versions(folders.versions, policy: configuration.versionPolicy)
        guard let newest = chosen.last else { throw try noVersion(name, directory, folders, root: root.folder) }
        for version in chosen { _ = try confine(folder(version), to: root.folder) }
        let files = try FileSystem.names(in: folder(newest))
        let engine = try EngineSelection.select(
            &configuration, files: files, version: newest, backends: backends, folders: backendFolders,
            modelFiles: lone == nil ? try FileSystem.names(in: directory) : [])
        var versions: [ModelDefinition.Version] = []
        for version in chosen {
            if !isOwn(root.folder) { try walk(in: root.folder).confineContents(of: folder(version)) }
            let filename = try modelFilename(engine, in: folder(version), version, of: configuration)
            versions.append(
                ModelDefinition.Version(
                    number: version, modelPath: filename.map { "\(folder(version))/\($0)" }, filename: filename,
                    hasOwnFolder: lone == nil))
        }
        let absent = VersionSelection.absentVersions(folders.versions, policy: configuration.versionPolicy)
        return ModelDefinition(
            configuration: configuration, diagnostics: written.diagnostics,
            notices: folders.notices
                + absent.map {
                    "version \($0) is specified for model '\(name)', but the version directory is not present"
                },
            engine: engine, root: root.path, folder: root.folder, directory: directory, versions: versions)
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
            guard FileSystem.isInside(try FileSystem.realPath(path), directory) || followsLinks else {
                throw HalcyonError(
                    .unsupported,
                    "label file path '\(path)' for output '\(output.name)' in model "
                        + "'\(definition.configuration.name)' is outside model directory")
            }
            labels[output.name] = try LabelFile.read(path)
        }
        return labels
    }

    // MARK: The model's folder

    private func find(_ key: ModelKey) throws(HalcyonError) -> (root: Root, directory: String) {
        let name = key.name
        var holders = try holders(of: name, isLenient: true)
        if let wanted = key.root { holders = holders.filter { allowsSameNames && $0.path == wanted } }
        guard let root = holders.first else {
            throw HalcyonError(
                .notFound,
                "failed to load '\(name)', failed to poll from model repository: there is no folder of that name in "
                    + roots.joined(separator: " or ")
                    + (complaint().map { "; \($0.message)" } ?? ""))
        }
        guard holders.count == 1 else {
            throw HalcyonError(
                .invalidArgument,
                "failed to load '\(name)', model name must be unique across all model repositories: it is in "
                    + holders.map(\.path).joined(separator: " and ")
                    + (allowsSameNames ? "; write a repository's path, a slash and the name" : ""))
        }
        return (root, root.directory(of: name))
    }

    private func readConfiguration(
        _ name: ModelName, _ directory: String, root: String, json: String?
    ) throws(HalcyonError) -> (configuration: ModelConfiguration, warnings: [ConfigurationDiagnostic]) {
        if let json {
            return try ConfigurationReader.configuration(
                Array(json.utf8), file: "the configuration of the request", modelName: name.rawValue, form: .json)
        }
        let path = try configurationPath(directory)
        guard try FileSystem.kind(path) != nil else { return (ModelConfiguration(name: name.rawValue), []) }
        let resolved = try confine(path, to: root)
        let bytes = try FileSystem.read(resolved, most: ConfigurationReader.maximumByteCount)
        return try ConfigurationReader.configuration(bytes, file: path, modelName: name.rawValue)
    }

    /// The file of the configuration that is preferred, where the model has it, else the usual one.
    private func configurationPath(_ directory: String) throws(HalcyonError) -> String {
        let preferred = "\(directory)/configs/\(configurationName).pbtxt"
        if !configurationName.isEmpty, try FileSystem.kind(preferred) != nil { return preferred }
        return "\(directory)/config.pbtxt"
    }

    /// A model's configuration as it is written, before anything beside it is looked at.
    struct WrittenModel {
        let configuration: ModelConfiguration
        /// The model's folder.
        let directory: String
        fileprivate let name: ModelName
        fileprivate let root: Root
        fileprivate let diagnostics: [ConfigurationDiagnostic]
    }

    /// - Throws: as ``readModel(_:backends:json:)``, but for what is wrong with anything beside the configuration.
    func writtenModel(_ key: String, json: String?) throws(HalcyonError) -> WrittenModel {
        let key = try ModelKey(key)
        let name = key.name
        let (root, directory) = try find(key)
        _ = try confine(directory, to: root.folder)
        let folder = json == nil ? root.folders[name] ?? name : name
        var (configuration, diagnostics) = try readConfiguration(folder, directory, root: root.folder, json: json)
        configuration.name = name.rawValue
        return WrittenModel(
            configuration: configuration, directory: directory, name: name, root: root, diagnostics: diagnostics)
    }

    /// Reads a model from another folder than that in which it was found.
    func reader(of name: String, movedTo folder: String) throws(HalcyonError) -> ModelRepositoryReader {
        var moved = try ModelRepositoryReader(paths: [], own: try PrivateRepository(linking: name, to: folder))
        moved.backendFolders = backendFolders
        moved.followsLinks = followsLinks
        moved.limits = limits
        moved.configurationName = configurationName
        return moved
    }

    /// What has to stay as long as its models are in use.
    var ownRepository: PrivateRepository? { own?.repository }

    /// The text of a model's configuration, and its file's path in the model's folder; empty where it has none.
    func configurationText(_ key: String) throws(HalcyonError) -> (text: [UInt8], file: String) {
        let (root, directory) = try find(try ModelKey(key))
        let path = try configurationPath(directory)
        let file = String(path.dropFirst(directory.count + 1))
        guard try FileSystem.kind(path) != nil else { return ([], file) }
        let resolved = try confine(path, to: root.folder)
        return (try FileSystem.read(resolved, most: ConfigurationReader.maximumByteCount), file)
    }

    /// Whether a model has a configuration that can be read, or none at all.
    func canReadConfiguration(_ key: String, json: String?) -> Bool {
        do throws(HalcyonError) {
            let key = try ModelKey(key)
            let (root, directory) = try find(key)
            let written = json == nil ? root.folders[key.name] ?? key.name : key.name
            _ = try readConfiguration(written, directory, root: root.folder, json: json)
            return true
        } catch {
            return false
        }
    }

    // MARK: Versions

    private struct VersionFolders {
        var versions: [Int64] = []
        var notices: [String] = []
    }

    /// The version folders: those with a decimal number from 1 without leading zeros for a name, as in Triton.
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
                    "ignore version directory '\(name)' of '\(directory)': a version is a number from 1 to "
                        + "\(Int64.max) without leading zeros")
            }
        }
        return folders
    }

    private func noVersion(
        _ name: ModelName, _ directory: String, _ folders: VersionFolders, root: String
    ) throws(HalcyonError) -> HalcyonError {
        var advice: [String] = []
        if folders.versions.isEmpty {
            let names = try FileSystem.names(in: directory)
            let inner = names.filter { (try? FileSystem.kind("\(directory)/\($0)")) == .folder }
            advice = FolderAdvice.withoutVersion(
                folders: inner, files: names.filter { !inner.contains($0) },
                isRepositoryAModel: (try? FileSystem.kind("\(root)/config.pbtxt")) == .file)
        }
        let present = folders.versions.sorted().map(String.init).joined(separator: ", ")
        let found = folders.versions.isEmpty ? "no version folder" : "version \(present)"
        return HalcyonError(
            .invalidArgument,
            ([
                "at least one version must be available under the version policy of model '\(name)': '\(directory)' "
                    + "has \(found)"
            ]
                + folders.notices + advice).joined(separator: "; "))
    }

    /// - Returns: `nil` for an engine that needs no file.
    private func modelFilename(
        _ engine: EngineSelection, in folder: String, _ version: Int64, of configuration: ModelConfiguration
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
                "failed to stat file \(folder)/\(configuration.defaultModelFilename), which default_model_filename "
                    + "names: there is none")
        }
        let advice = FolderAdvice.withoutModel(
            files: try FileSystem.names(in: folder), version: version, wanted: engine.filenames)
        throw HalcyonError(
            .unavailable,
            "model '\(configuration.name)' has no model file: '\(folder)' holds none of "
                + engine.filenames.joined(separator: ", ") + "; "
                + (advice ?? "default_model_filename can name another"))
    }
}
