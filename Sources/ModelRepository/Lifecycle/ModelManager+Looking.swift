internal import ModelConfiguration
internal import ModelRuntime
package import Tensors

extension ModelManager {
    /// Whether that version, or the newest where `version` is `nil`, serves; an ensemble does if all models that it needs
    /// do, and fit it.
    package func isReady(_ name: String, version: Int64?) -> Bool {
        table.withLock { table in
            guard let model = try? table.find(name, version: version) else { return false }
            return table.complaint(of: model) == nil
        }
    }

    /// The versions of a model that serve, ascending.
    package func versions(_ name: String) -> [Int64] {
        table.withLock { table in
            (try? table.key(name)).flatMap { table.entries[$0] }?.served.keys.sorted() ?? []
        }
    }

    /// The served versions of all models, by name and version.
    package func servedModels() -> [ServedModel] {
        table.withLock { table in
            table.entries.values.flatMap(\.served.values)
        }.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
    }

    /// The keys of the models that lie in the repositories, by name.
    package func modelKeys() throws(HalcyonError) -> [String] { try loader.modelKeys() }

    /// Every model of the repositories and every one that was asked for, by name.
    package func index() -> [ModelIndexEntry] {
        let table = table.withLock { $0 }
        let present = (try? loader.modelKeys()) ?? []
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
        return table.entries.compactMap { name, entry in table.complaint(of: entry).map { (name, $0) } }
            .sorted { $0.name < $1.name }
    }

    // MARK: Polling

    /// What the models' folders look like, `nil` for one that can't be read; `nil` where the repositories can't.
    func fingerprints() -> [String: UInt64?]? { try? loader.repository.fingerprints() }

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
