internal import Logging
internal import ModelConfiguration
package import ModelRuntime
package import Tensors

/// Which models are served, and the way there and back.
///
/// Loads and unloads of one model are done one after the other, in the order in which they came; those of different models
/// side by side. A request takes hold of a version under the lock of the table, so it can't be unloaded before the request
/// is enqueued; and what is enqueued is finished before the version goes. What still finishes its requests holds up nobody
/// who wants to load the model again.
package final class ModelManager: Sendable {
    let table = Locked(ModelTable())
    private let changed = Signal()
    let loader: ModelLoader
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
            let model = try table.find(name, version: version)
            model.hold()
            return model
        }
        defer { model.release() }
        return try body(model)
    }

    /// Hands in a request, as ``RequestExecutor/submit(_:from:handler:)`` does.
    ///
    /// - Parameter answersOnce: whether the handler can take one response only: a decoupled model refuses then.
    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, answersOnce: Bool = false,
        handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        do {
            return try withModel(request.modelName, version: request.modelVersion) { model throws(HalcyonError) in
                if answersOnce, model.isDecoupled {
                    throw HalcyonError(
                        .unsupported,
                        "model '\(request.modelName)' is decoupled and gives any number of responses: ask for its stream of "
                            + "responses")
                }
                return model.executor.submit(request, from: caller, handler: handler)
            }
        } catch {
            handler(.failure(error))
            return nil
        }
    }

    // MARK: Loading

    /// How a load waits for the versions whose place it has taken.
    package enum Retirement {
        /// Until they have finished their requests.
        case awaited
        /// Not at all.
        case inBackground
    }

    /// Loads a model, or loads it anew: the new versions serve before the old ones go, and if they fail, the old ones
    /// stay. The models that an ensemble needs are loaded before it, where they are not there. Blocks until that is done.
    ///
    /// - Parameter evenIfLoaded: whether one that serves already is loaded anew.
    /// - Throws: whatever is wrong with the model; the index keeps it as the reason.
    package func load(
        _ name: String, override: ModelOverride? = nil, evenIfLoaded: Bool = true, retirement: Retirement = .awaited
    ) throws(HalcyonError) {
        let name = try table.withLock { table throws(HalcyonError) in try table.key(name) }
        let needed: [String]
        do {
            needed = try EnsembleOrder.needed(for: name) { (other) throws(HalcyonError) in
                try loader.steps(other, override: other == name ? override : nil)
            }
        } catch {
            // What is wrong with a model's own files is found again below, and kept as the reason.
            guard error.isCycle else {
                return try loadAlone(name, override: override, evenIfLoaded: evenIfLoaded, retirement)
            }
            note(error.error, for: name)
            throw error.error
        }
        for step in needed {
            do {
                try loadAlone(step, override: nil, evenIfLoaded: false, retirement)
            } catch {
                let reason = error.prefixed("ensemble '\(name)' needs model '\(step)': ")
                note(reason, for: name)
                throw reason
            }
        }
        try loadAlone(name, override: override, evenIfLoaded: evenIfLoaded, retirement)
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
            resolver: { [weak self] (key, steps) throws(HalcyonError) in
                guard let self else { throw HalcyonError(.unavailable, "the server is no more") }
                return try table.withLock { table throws(HalcyonError) in try table.route(of: key, steps) }
            })
    }

    private func loadAlone(
        _ name: String, override: ModelOverride?, evenIfLoaded: Bool, _ retirement: Retirement
    ) throws(HalcyonError) {
        let old = try inTurn(name) { () throws(HalcyonError) -> [ServedModel] in
            if !evenIfLoaded, table.withLock({ $0.entries[name]?.isServing == true }) { return [] }
            loads.take()
            defer { loads.giveBack() }
            return try replace(name, override: override)
        }
        guard !old.isEmpty else { return }
        switch retirement {
        case .awaited: _ = drain(name, old, deadline: nil)
        case .inBackground: drainInBackground(name, old)
        }
    }

    /// Makes what the model's folder asks for, and puts it into service.
    ///
    /// - Returns: what is out of service now.
    private func replace(_ name: String, override: ModelOverride?) throws(HalcyonError) -> [ServedModel] {
        let preparation: ModelLoader.Preparation
        do {
            preparation = try loader.prepare(name, override: override)
        } catch {
            // A name that is no model leaves no trace.
            let isUnknown = table.withLock { table in
                guard error.code == .notFound, table.entries[name]?.isServing != true else { return false }
                if table.entries[name]?.isDraining != true { table.entries[name] = nil }
                return true
            }
            if !isUnknown { note(error, for: name) }
            throw error
        }
        let plan = try table.withLock { table throws(HalcyonError) in
            try table.entries[name, default: ModelEntry()].begin(preparation.identities)
        }
        var fresh: [ServedModel] = []
        var current = plan.load.first
        do throws(HalcyonError) {
            for version in plan.load {
                current = version
                fresh.append(try loader.load(preparation, version: version, in: surroundings))
            }
            return try commit(plan, fresh, of: name, preparation.definition.configuration.versionPolicy)
        } catch {
            _ = loader.retire(fresh, deadline: nil)
            let failed = current
            try table.withLock { table throws(HalcyonError) in
                try table.entries[name]?.fail(plan, at: failed, error.message)
            }
            throw error
        }
    }

    private func commit(
        _ plan: VersionPlan, _ fresh: [ServedModel], of name: String, _ versionPolicy: VersionPolicy
    ) throws(HalcyonError) -> [ServedModel] {
        try table.withLock { table throws(HalcyonError) in
            guard !table.isStopped else { throw Self.stopping }
            try table.checkCircles(fresh)
            let old = try table.entries[name]?.commit(plan, fresh, versionPolicy: versionPolicy) ?? []
            for model in old { table.draining[model.generation] = model }
            return old
        }
    }

    // MARK: Unloading

    /// Unloads a model: it takes no new requests at once, and this returns when those it had are finished.
    ///
    /// - Parameter deadline: when to drop requests that still wait, in nanoseconds of the clock; `nil` for never.
    /// - Returns: how many were dropped.
    /// - Throws: `notFound` for a model that is not loaded.
    @discardableResult
    package func unload(_ name: String, deadline: UInt64? = nil) throws(HalcyonError) -> Int {
        let (key, old) = try retire(name, deadline: deadline)
        return drain(key, old, deadline: deadline)
    }

    /// Unloads a model without waiting for the requests that it has.
    ///
    /// - Throws: `notFound` for a model that is not loaded.
    func takeOut(_ name: String) throws(HalcyonError) {
        do {
            let (key, old) = try retire(name, deadline: nil)
            drainInBackground(key, old)
        } catch  where error.code == .notFound {
            // One that never served, and is gone: it has failed nobody any more.
            table.withLock { table in
                if let entry = table.entries[name], !entry.isServing, !entry.isDraining { table.entries[name] = nil }
            }
            throw error
        }
    }

    /// Takes a model out of service.
    private func retire(
        _ name: String, deadline: UInt64?
    ) throws(HalcyonError) -> (key: String, old: [ServedModel]) {
        let name = try table.withLock { table throws(HalcyonError) in try table.key(name) }
        let old = try inTurn(name, evenIfStopped: true, deadline: deadline) { () throws(HalcyonError) in
            try table.withLock { table throws(HalcyonError) in
                let old = try table.entries[name]?.retireAll() ?? []
                for model in old { table.draining[model.generation] = model }
                return old
            }
        }
        guard !old.isEmpty else {
            throw HalcyonError(.notFound, "failed to unload '\(name)', the model is not loaded")
        }
        return (name, old)
    }

    /// Unloads a model, and the models of its steps behind it, where no other ensemble uses them.
    ///
    /// - Throws: as ``unload(_:deadline:)``.
    package func unloadWithDependents(_ name: String) throws(HalcyonError) {
        let steps = table.withLock { $0.dependents(of: name) }
        try unload(name)
        for step in steps {
            do throws(HalcyonError) {
                try unload(step)
            } catch  where error.code == .notFound {
                // Somebody else has unloaded it meanwhile.
                continue
            }
        }
    }

    /// Finishes the requests of versions that are out of service.
    ///
    /// - Returns: how many were dropped.
    private func drain(_ name: String, _ old: [ServedModel], deadline: UInt64?) -> Int {
        let dropped = loader.retire(old, deadline: deadline)
        table.withLock { table in
            for model in old {
                table.draining[model.generation] = nil
                do throws(HalcyonError) {
                    try table.entries[name]?.drained(model.version)
                } catch {
                    loader.log.error("lifecycle", metadata: ["model": "\(name)", "error": "\(error)"])
                }
            }
        }
        changed.notify()
        return dropped
    }

    private func drainInBackground(_ name: String, _ old: [ServedModel]) {
        let work: @Sendable () -> Void = { _ = self.drain(name, old, deadline: nil) }
        do {
            try WorkerThread.detach(name: "drain", work)
        } catch {
            // Without another thread to be had, waiting here is what is left.
            work()
        }
    }

    // MARK: Turns

    private static let stopping = HalcyonError(
        .unavailable, "the server is being stopped and loads no more models")

    /// Calls `body` when everybody who came before for the same model is done.
    ///
    /// - Throws: what `body` throws, and `unavailable` where the server is stopped or the deadline passes before.
    private func inTurn<Result>(
        _ name: String, evenIfStopped: Bool = false, deadline: UInt64? = nil,
        _ body: () throws(HalcyonError) -> Result
    ) throws(HalcyonError) -> Result {
        let ticket = table.withLock { $0.turns.join(name) }
        defer {
            table.withLock { $0.turns.leave(ticket) }
            changed.notify()
        }
        var isStopped = false
        let isFirst = changed.wait(until: deadline, clock: loader.clock) {
            self.table.withLock { table in
                isStopped = table.isStopped && !evenIfStopped
                return isStopped || table.turns.isFirst(ticket)
            }
        }
        if isStopped { throw Self.stopping }
        guard isFirst else {
            throw HalcyonError(.unavailable, "model '\(name)' is still being loaded or unloaded")
        }
        return try body()
    }

    // MARK: Stopping

    /// Loads nothing any more; those that wait for their turn to load are told so.
    package func close() {
        table.withLock { $0.isStopped = true }
        changed.notify()
    }

    /// Unloads everything, side by side, and loads nothing any more.
    ///
    /// - Returns: how many waiting requests were dropped, by model.
    package func stop(deadline: UInt64?) -> [String: Int] {
        close()
        let draining = table.withLock { Array($0.draining.values) }
        let dropped = Locked<[String: Int]>([:])
        // What somebody else drains without a deadline has one now.
        let drains = draining.compactMap { model in
            try? WorkerThread(name: "stop") {
                let count = model.retire(deadline: deadline, clock: self.loader.clock)
                if count > 0 { dropped.withLock { $0[model.key, default: 0] += count } }
            }
        }
        let served = servedModels()
        let steps = Dictionary(
            served.map { ($0.key, Set($0.steps.map(\.modelName))) },
            uniquingKeysWith: { $0.union($1) })
        for names in EnsembleOrder.stopping(steps) {
            let threads = names.compactMap { name in
                try? WorkerThread(name: "stop") {
                    let count = (try? self.unload(name, deadline: deadline)) ?? 0
                    if count > 0 { dropped.withLock { $0[name, default: 0] += count } }
                }
            }
            for thread in threads { thread.join() }
        }
        for thread in drains { thread.join() }
        // A load that is under way finds that the server is stopped, and lets go of what it has made.
        _ = changed.wait(until: deadline, clock: loader.clock) {
            self.table.withLock { $0.turns.isEmpty && $0.draining.isEmpty }
        }
        return dropped.withLock { $0 }
    }
}
