internal import ModelConfiguration
package import ModelRuntime
package import Tensors

/// Which models are served, and the way there and back.
///
/// Loads and unloads of one model are done one after the other; those of different models side by side. A request takes
/// hold of a version under the lock of the table, so it can't be unloaded before the request is enqueued; and what is
/// enqueued is finished before the version goes.
package final class ModelManager: Sendable {
    private struct Table {
        var entries: [String: ModelEntry] = [:]
        /// Models that are being loaded or unloaded.
        var busy: Set<String> = []
        var isStopped = false
    }

    private let table = Locked(Table())
    private let changed = Signal()
    private let loader: ModelLoader
    private let loads: LoadSlots

    /// - Parameter loadCount: models that are loaded at the same time.
    package init(loader: ModelLoader, loadCount: Int) {
        self.loader = loader
        loads = LoadSlots(count: loadCount, clock: loader.clock)
    }

    // MARK: Requests

    /// Calls `body` with a served version, which stays until `body` has returned.
    ///
    /// - Parameter version: `nil` for the newest.
    /// - Throws: `notFound` for a model that nobody loaded, `unavailable` for one that is not ready.
    package func withModel<Result>(
        _ name: String, version: Int64?, _ body: (ServedModel) throws(HalcyonError) -> Result
    ) throws(HalcyonError) -> Result {
        let model = try table.withLock { table throws(HalcyonError) in
            let model = try Self.find(name, version: version, in: table)
            model.hold()
            return model
        }
        defer { model.release() }
        return try body(model)
    }

    /// Hands in a request, as ``RequestExecutor/submit(_:from:handler:)`` does.
    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        do {
            return try withModel(request.modelName, version: request.modelVersion) { model in
                model.executor.submit(request, from: caller, handler: handler)
            }
        } catch {
            handler(.failure(error))
            return nil
        }
    }

    private static func find(_ name: String, version: Int64?, in table: Table) throws(HalcyonError) -> ServedModel {
        var found = table.entries[name]
        if found?.isServing != true { found = table.entries[try key(name, in: table)] }
        guard let entry = found else {
            throw HalcyonError(.notFound, "Request for unknown model: '\(name)' is not found")
        }
        if let model = version.map({ entry.served[$0] }) ?? entry.newest { return model }
        if let version, entry.isServing {
            throw HalcyonError(.notFound, "Request for unknown model: '\(name)' version \(version) is not found")
        }
        let reason = entry.reason.isEmpty ? "" : ": \(entry.reason)"
        throw HalcyonError(.unavailable, "Request for unknown model: '\(name)' has no available versions\(reason)")
    }

    /// The key of the model that a client or an ensemble means by a name or a key.
    ///
    /// - Throws: `invalidArgument` for a name that several models have.
    private static func key(_ name: String, in table: Table) throws(HalcyonError) -> String {
        let isKey = name.utf8.first == UInt8(ascii: "/")
        if let entry = table.entries[name], !isKey || entry.isServing { return name }
        // One that was not alone with its name may be by now, and the other way round.
        if isKey { return table.entries[ModelKey.name(name)]?.isServing == true ? ModelKey.name(name) : name }
        let keys = table.entries.filter { ModelKey.name($0) == name && $1.isServing }.map(\.key)
        guard keys.count > 1 else { return keys.first ?? name }
        throw HalcyonError(
            .invalidArgument,
            "several models have the name '\(name)': write one of \(keys.sorted().joined(separator: ", "))")
    }

    // MARK: Loading and unloading

    /// Loads a model, or loads it anew: the new versions serve before the old ones go, and if they fail, the old ones
    /// stay. The models that an ensemble needs are loaded before it, where they are not there. Blocks until that is done.
    ///
    /// - Parameter evenIfLoaded: whether one that serves already is loaded anew.
    /// - Throws: whatever is wrong with the model; the index keeps it as the reason.
    package func load(
        _ name: String, override: ModelOverride? = nil, evenIfLoaded: Bool = true
    ) throws(HalcyonError) {
        let name = try table.withLock { table throws(HalcyonError) in try Self.key(name, in: table) }
        let needed: [String]
        do {
            needed = try EnsembleOrder.needed(for: name) { (other) throws(HalcyonError) in
                try loader.steps(other, override: other == name ? override : nil)
            }
        } catch {
            // What is wrong with a model's own files is found again below, and kept as the reason.
            guard error.isCycle else { return try loadAlone(name, override: override, evenIfLoaded: evenIfLoaded) }
            note(error.error, for: name)
            throw error.error
        }
        for step in needed {
            do {
                try loadAlone(step, override: nil, evenIfLoaded: false)
            } catch {
                let reason = error.prefixed("ensemble '\(name)' needs model '\(step)': ")
                note(reason, for: name)
                throw reason
            }
        }
        try loadAlone(name, override: override, evenIfLoaded: evenIfLoaded)
    }

    /// Keeps the reason why a model is not loaded.
    private func note(_ error: HalcyonError, for name: String) {
        table.withLock { $0.entries[name, default: ModelEntry()].failure = error.message }
    }

    private var surroundings: ModelLoader.Surroundings {
        ModelLoader.Surroundings(
            configuration: { [self] step throws(HalcyonError) in
                try withModel(step.modelName, version: step.modelVersion) { $0.configuration }
            },
            router: { [weak self] request, handler in
                guard let self else {
                    handler(.failure(HalcyonError(.unavailable, "the server is no more")))
                    return nil
                }
                return submit(request, from: .nonBlocking, handler: handler)
            })
    }

    private func loadAlone(_ name: String, override: ModelOverride?, evenIfLoaded: Bool) throws(HalcyonError) {
        try claim(name)
        defer { giveUp(name) }
        if !evenIfLoaded, table.withLock({ $0.entries[name]?.isServing == true }) { return }
        loads.take()
        defer { loads.giveBack() }
        let preparation: ModelLoader.Preparation
        do {
            preparation = try loader.prepare(name, override: override)
        } catch {
            // A name that is no model leaves no trace.
            let isUnknown = table.withLock { table in
                guard error.code == .notFound, table.entries[name]?.isServing != true else { return false }
                table.entries[name] = nil
                return true
            }
            if !isUnknown { note(error, for: name) }
            throw error
        }
        let plan = try table.withLock { table throws(HalcyonError) in
            try table.entries[name, default: ModelEntry()].begin(preparation.identities)
        }
        var fresh: [ServedModel] = []
        for version in plan.load {
            do {
                fresh.append(try loader.load(preparation, version: version, in: surroundings))
            } catch {
                _ = loader.retire(fresh, deadline: nil)
                try table.withLock { table throws(HalcyonError) in
                    try table.entries[name]?.fail(plan, at: version, error.message)
                }
                throw error
            }
        }
        let old = try table.withLock { [fresh] table throws(HalcyonError) in
            try table.entries[name]?.commit(
                plan, fresh, versionPolicy: preparation.definition.configuration.versionPolicy)
        }
        _ = loader.retire(old ?? [], deadline: nil)
        try table.withLock { table throws(HalcyonError) in try table.entries[name]?.drain() }
    }

    /// Unloads a model: it takes no new requests at once, and this returns when those it had are finished.
    ///
    /// - Parameter deadline: when to drop requests that still wait, in nanoseconds of the clock; `nil` for never.
    /// - Returns: how many were dropped.
    /// - Throws: `notFound` for a model that is not loaded.
    @discardableResult
    package func unload(_ name: String, deadline: UInt64? = nil) throws(HalcyonError) -> Int {
        let name = try table.withLock { table throws(HalcyonError) in try Self.key(name, in: table) }
        try claim(name, evenIfStopped: true)
        defer { giveUp(name) }
        let old = try table.withLock { table throws(HalcyonError) in try table.entries[name]?.retireAll() ?? [] }
        guard !old.isEmpty else {
            throw HalcyonError(.notFound, "failed to unload '\(name)', the model is not loaded")
        }
        let dropped = loader.retire(old, deadline: deadline)
        try table.withLock { table throws(HalcyonError) in try table.entries[name]?.drain() }
        return dropped
    }

    /// Waits until nobody else loads or unloads the model.
    private func claim(_ name: String, evenIfStopped: Bool = false) throws(HalcyonError) {
        var isStopped = false
        _ = changed.wait(until: nil, clock: loader.clock) {
            self.table.withLock { table in
                isStopped = table.isStopped && !evenIfStopped
                return isStopped || table.busy.insert(name).inserted
            }
        }
        if isStopped { throw HalcyonError(.unavailable, "the server is being stopped and loads no more models") }
    }

    private func giveUp(_ name: String) {
        table.withLock { _ = $0.busy.remove(name) }
        changed.notify()
    }

    /// Unloads everything, side by side, and loads nothing any more.
    ///
    /// - Returns: how many waiting requests were dropped, by model.
    package func stop(deadline: UInt64?) -> [String: Int] {
        table.withLock { $0.isStopped = true }
        // What is being loaded at the moment is waited for, so that it is unloaded as well.
        _ = changed.wait(until: deadline, clock: loader.clock) { self.table.withLock { $0.busy.isEmpty } }
        let served = servedModels()
        let steps = Dictionary(
            served.map { ($0.key, Set($0.steps.map(\.modelName))) },
            uniquingKeysWith: { $0.union($1) })
        let dropped = Locked<[String: Int]>([:])
        for names in EnsembleOrder.stopping(steps) {
            let threads = names.compactMap { name in
                try? WorkerThread(name: "stop") {
                    let count = (try? self.unload(name, deadline: deadline)) ?? 0
                    if count > 0 { dropped.withLock { $0[name] = count } }
                }
            }
            for thread in threads { thread.join() }
        }
        return dropped.withLock { $0 }
    }

    /// The models that only this ensemble's steps use, of those that serve.
    package func dependents(of name: String) -> [String] {
        let key = table.withLock { (try? Self.key(name, in: $0)) ?? name }
        let served = servedModels()
        let own = served.filter { $0.key == key }.flatMap(\.steps)
        let others = served.filter { $0.key != key }.flatMap(\.steps)
        return Set(own.map(\.modelName)).subtracting(others.map(\.modelName)).sorted()
    }

    // MARK: Looking

    /// Whether that version, or any where `version` is `nil`, serves; an ensemble does if all models that it needs do.
    package func isReady(_ name: String, version: Int64?) -> Bool {
        table.withLock { Self.isReady(name, version: version, in: $0, depth: 0) }
    }

    /// - Parameter depth: ensembles around this model: more than there are models is a circle, in which none is ready.
    private static func isReady(_ name: String, version: Int64?, in table: Table, depth: Int) -> Bool {
        guard depth <= table.entries.count, let model = try? find(name, version: version, in: table) else {
            return false
        }
        guard model.executor.complaint == nil else { return false }
        return model.steps.allSatisfy {
            isReady($0.modelName, version: $0.modelVersion, in: table, depth: depth + 1)
        }
    }

    /// The versions of a model that serve, ascending.
    package func versions(_ name: String) -> [Int64] {
        table.withLock { table in
            (try? Self.key(name, in: table)).flatMap { table.entries[$0] }?.served.keys.sorted() ?? []
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

    /// What the models' folders look like; `nil` where the repositories can't be read.
    func fingerprints() -> [String: UInt64]? { try? loader.repository.fingerprints() }

    /// Every model of the repositories and every one that was asked for, by name.
    package func index() -> [ModelIndexEntry] {
        let entries = table.withLock { $0.entries }
        let present = (try? loader.modelKeys()) ?? []
        let known = entries.keys.filter { key in
            key.utf8.first != UInt8(ascii: "/") || present.contains(key) || entries[key]?.isServing == true
        }
        return Set(known).union(present).sorted().flatMap { key in
            let name = ModelKey.name(key)
            return entries[key]?.index(name: name) ?? [ModelIndexEntry(name: name)]
        }
    }

    /// The models that were asked for and do not serve, or not as they should, with the reason.
    package func failures() -> [(name: String, reason: String)] {
        table.withLock { table in
            table.entries.compactMap { name, entry in entry.complaint.map { (name, $0) } }
        }.sorted { $0.name < $1.name }
    }
}
