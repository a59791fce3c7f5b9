internal import Logging
package import ModelConfigurations
internal import ModelRuntime
package import Tensors
internal import Threads

extension ModelManager {
    /// Whether that version, or the newest where `version` is `nil`, serves; an ensemble does if all models that it
    /// needs do, and fit it.
    package func isReady(_ name: String, version: Int64?) -> Bool {
        table.withLock { table in
            guard let model = try? table.find(name, version: version) else { return false }
            return table.complaint(of: model) == nil
        }
    }

    /// Whether a version that was found is ready.
    package func isReady(_ model: borrowing HeldModel) -> Bool {
        let model = model.model
        return table.withLock { $0.complaint(of: model) == nil }
    }

    /// A served version's configuration, and all versions of the model that serve, ascending; of one moment.
    ///
    /// - Throws: as ``hold(_:version:)``.
    package func description(
        of name: String, version: Int64?
    ) throws(HalcyonError) -> (configuration: ModelConfiguration, versions: [Int64]) {
        let (model, versions) = try table.withLock { table throws(HalcyonError) in
            (try table.find(name, version: version), table.versions(name))
        }
        return (model.configuration, versions)
    }

    /// The labels of an output; empty where there are none. An ensemble's outputs have those of the step that makes
    /// them, unless they have their own.
    package func labels(of output: String, in model: borrowing HeldModel) -> [String] {
        let model = model.model
        if let labels = model.labels[output] { return labels }
        return table.withLock { table in
            var next = model.source(of: output)
            // Ensembles may have come to need each other in a circle, in which nobody has labels.
            for _ in 0..<64 {
                guard let place = next, let model = try? table.find(place.model, version: place.version) else { break }
                if let labels = model.labels[place.output] { return labels }
                next = model.source(of: place.output)
            }
            return []
        }
    }

    /// The served versions of all models, by name and version.
    package func servedModels() -> [ServedModel] {
        table.withLock { table in
            table.entries.values.flatMap(\.served.values)
        }.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
    }

    /// The keys of the models that lie in the repositories, by name.
    ///
    /// - Parameter isLenient: whether repositories that can't be reached count as empty.
    package func modelKeys(isLenient: Bool = false) throws(HalcyonError) -> [String] {
        try loader.repository.modelKeys(isLenient: isLenient)
    }

    /// Finds models in another repository from now on.
    ///
    /// - Throws: as ``ModelRepositoryReader/add(_:folders:)``.
    package func addRepository(_ path: String, folders: [String: String]) throws(HalcyonError) {
        try loader.repository.add(path, folders: folders)
    }

    /// Finds no more models in a repository.
    ///
    /// - Throws: as ``ModelRepositoryReader/remove(_:)``.
    package func removeRepository(_ path: String) throws(HalcyonError) { try loader.repository.remove(path) }

    /// What is wrong with a repository now; `nil` where all can be read.
    package func repositoryComplaint() -> HalcyonError? { loader.repository.complaint() ?? loader.sources.complaint }

    /// Whether any repository lies elsewhere.
    package var hasSources: Bool { !loader.sources.isEmpty }

    /// Has the sources of repositories bring what they have. Blocks.
    ///
    /// - Throws: why one of them did not.
    package func updateSources(_ scope: RepositoryScope) throws(HalcyonError) {
        try loader.sources.update(scope, clock: loader.environment.clock)
    }

    /// Every model of the repositories and every one that was asked for, by name.
    package func index() -> [ModelIndexEntry] {
        let table = table.withLock { $0 }
        let present = (try? modelKeys(isLenient: true)) ?? []
        let known = table.entries.filter { key, entry in
            key.utf8.first != UInt8(ascii: "/") || present.contains(key) || entry.isServing
        }
        return Set(known.keys).union(present).sorted().flatMap { key in
            let name = ModelKey.name(key)
            return table.entries[key]?.index(name: name) { table.complaint(of: $0) } ?? [ModelIndexEntry(name: name)]
        }
    }

    /// The models that were asked for and do not serve, or not as they should, with the reason.
    package func failures() -> [(name: String, reason: String)] {
        let table = table.withLock { $0 }
        return table.entries.compactMap { name, entry in table.complaint(of: entry).map { (name, $0.text) } }
            .sorted { $0.name < $1.name }
    }

    /// Whether all models serve that the server knows and that are to: what could not be read as a model is none, and
    /// what was unloaded is missed by nobody, not even where an ensemble lacks it.
    package var areModelsReady: Bool {
        let table = table.withLock { $0 }
        return table.entries.values.allSatisfy { entry in
            !entry.isServing && entry.isUnread || (table.complaint(of: entry)?.isOfUnloading ?? true)
        }
    }

    // MARK: Polling

    /// What the models' folders look like, `nil` for one that can't be read.
    ///
    /// - Throws: where a repository can't be.
    func fingerprints() throws(HalcyonError) -> [String: UInt64?] {
        var found: [String: String] = [:]
        let fingerprints = try loader.repository.fingerprints { found[$0] = $1.message }
        let before = unreadable.withLock { unreadable in
            defer { unreadable = found }
            return unreadable
        }
        for (key, reason) in found.sorted(by: { $0.key < $1.key }) where before[key] != reason {
            loader.environment.log.warning(
                "a model's folder can't be looked at and is taken to be as it was",
                metadata: ["model": "\(key)", "reason": "\(reason)"])
        }
        return fingerprints
    }

    /// The keys of the models that a model needs directly, by what lies in its repository; none where that is wrong.
    func stepsInRepository(of name: String) -> [String] { (try? loader.steps(name)) ?? [] }

    /// The same, by what serves.
    func servedSteps(of name: String) -> [String] {
        table.withLock { $0.entries[name]?.steps ?? [] }
    }

    /// The ensembles that were asked for and are not ready, inner ones first.
    func sickEnsembles() -> [String] {
        let steps = failures().map { ($0.name, Set(stepsInRepository(of: $0.name))) }.filter { !$0.1.isEmpty }
        return EnsembleOrder.stopping(Dictionary(steps) { $1 }).flatMap(\.self).reversed()
    }
}
