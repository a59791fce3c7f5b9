internal import Logging
internal import ModelConfigurations
internal import ModelRuntime
package import Tensors
internal import Threads

extension ModelManager {
    /// Unloads a model, or all of that name: it takes no new requests at once, its loads that are under way are given
    /// up, and this returns when the requests it had are finished. One that is not loaded is unloaded already.
    ///
    /// - Parameter deadline: when to drop requests that still wait, in nanoseconds of the clock; `nil` for never.
    /// - Returns: how many were dropped.
    /// - Throws: `unavailable` where the deadline passes before it can be taken out of service.
    @discardableResult
    package func unload(_ name: String, deadline: UInt64? = nil) throws(HalcyonError) -> Int {
        var dropped = 0
        for key in table.withLock({ $0.keys(named: name) }) {
            dropped += drain(key, try retire(key, deadline: deadline), deadline: deadline)
        }
        return dropped
    }

    /// Takes a model out of service, or all of that name, without waiting for the requests that it has: they are
    /// finished all the same.
    ///
    /// - Parameter dependents: whether the models of its steps go behind it, where no other ensemble uses them.
    package func beginUnloading(_ name: String, dependents: Bool) throws(HalcyonError) {
        let keys = table.withLock { table in
            let keys = table.keys(named: name)
            return dependents ? keys + keys.flatMap { table.dependents(of: $0) } : keys
        }
        for key in keys {
            let old = try retire(key, deadline: nil)
            if !old.isEmpty { drainInBackground(key, old) }
        }
    }

    /// Unloads a model whose folder has gone, without waiting for the requests that it has.
    func takeOut(_ key: String) throws(HalcyonError) {
        let old = try retire(key, deadline: nil)
        if !old.isEmpty { return drainInBackground(key, old) }
        // One that never served, and is gone: it has failed nobody any more.
        table.withLock { table in
            if let entry = table.entries[key], !entry.isServing, !entry.isDraining { table.entries[key] = nil }
        }
    }

    /// Takes a model out of service.
    private func retire(_ key: String, deadline: UInt64?) throws(HalcyonError) -> [ServedModel] {
        try inTurn(key, deadline: deadline) { () throws(HalcyonError) in
            try table.withLock { table throws(HalcyonError) in
                guard table.entries[key] != nil else { return [] }
                let old = try table.entries[key]?.retireAll() ?? []
                for model in old { table.draining[model.generation] = model }
                return old
            }
        }
    }

    /// Unloads a model, and the models of its steps behind it, where no other ensemble uses them.
    ///
    /// - Throws: as ``unload(_:deadline:)``.
    package func unloadWithDependents(_ name: String) throws(HalcyonError) {
        let steps = table.withLock { table in table.keys(named: name).flatMap { table.dependents(of: $0) } }
        try unload(name)
        for step in steps { try unload(step) }
    }

    /// Finishes the requests of versions that are out of service.
    ///
    /// - Returns: how many were dropped.
    private func drain(_ name: String, _ old: [ServedModel], deadline: UInt64?) -> Int {
        let dropped = loader.stop(old, deadline: deadline)
        table.withLock { table in
            for model in old {
                table.draining[model.generation] = nil
                do throws(HalcyonError) {
                    try table.entries[name]?.drained(model.version)
                } catch {
                    loader.environment.log.error("lifecycle", metadata: ["model": "\(name)", "error": "\(error)"])
                }
            }
        }
        changed.notify()
        return dropped
    }

    func drainInBackground(_ name: String, _ old: [ServedModel]) {
        let work: @Sendable () -> Void = { _ = self.drain(name, old, deadline: nil) }
        do {
            try WorkerThread.detach(name: "drain", work)
        } catch {
            // No other thread can be started, so this one waits.
            work()
        }
    }

    // MARK: Stopping

    /// How long a server that stops waits for loads that it has given up and that hang, in nanoseconds.
    private static let hangingPatience: UInt64 = 3_000_000_000

    /// Whether something that a load has given up still runs: it may be in the middle of an engine.
    package var hasHangingLoads: Bool { hanging.withLock { $0 > 0 } }

    /// Loads nothing any more; loads that are under way, or wait for their turn, are given up.
    package func close() {
        table.withLock { $0.isStopped = true }
        loader.sources.close()
        changed.notify()
        permits.wake()
    }

    /// Has backends take apart what they have, once everything is unloaded.
    package func closeBackends() {
        for case let backend as any ClosableBackend in loader.backends.values { backend.close() }
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
                let count = model.stop(deadline: deadline, clock: self.loader.environment.clock)
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
        // A load that is under way finds that the server is stopped, and releases what it has made.
        _ = changed.wait(until: deadline, clock: loader.environment.clock) {
            self.table.withLock { $0.turns.isEmpty && $0.draining.isEmpty }
        }
        let (patience, overflow) = loader.environment.clock.now().addingReportingOverflow(Self.hangingPatience)
        _ = changed.wait(until: min(deadline ?? .max, overflow ? .max : patience), clock: loader.environment.clock) {
            !self.hasHangingLoads
        }
        return dropped.withLock { $0 }
    }
}
