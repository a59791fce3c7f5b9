internal import ModelConfigurations
internal import ModelRuntime
package import Tensors
internal import Threads

extension ModelManager {
    /// What loads may leave hanging at most: each has a thread and memory.
    private static let mostHanging = 64

    /// Loads a model, or loads it again: the new versions serve before the old ones go, and if they fail, the old ones
    /// stay. The models that an ensemble needs are loaded before it, where they are not there. Where several
    /// repositories have a model of that name, and may, all are loaded. Blocks until the new versions serve; those
    /// whose place they have taken finish their requests by themselves.
    ///
    /// - Parameters:
    ///   - evenIfLoaded: whether one that serves already is loaded again.
    ///   - isFetched: whether what sources of repositories have of it has just been brought here.
    ///   - attempt: by which it can be given up.
    /// - Throws: whatever is wrong with the model; the index keeps it as the reason.
    package func load(
        _ name: String, override: ModelOverride? = nil, evenIfLoaded: Bool = true, isFetched: Bool = false,
        attempt: LoadAttempt = LoadAttempt()
    ) throws(HalcyonError) {
        _ = try ModelKey(name)
        attempt.onGivingUp { [weak self] in
            self?.changed.notify()
            self?.permits.wake()
        }
        // Files that a request brings lie in no repository.
        let keys = try override?.files.isEmpty == false ? [name] : loader.repository.keys(named: name)
        var failure: HalcyonError?
        for key in keys {
            do throws(LoadFailure) {
                try fetch(key, override: override, isFetched: isFetched, attempt)
                try loadWithSteps(key, override: override, evenIfLoaded: evenIfLoaded, attempt)
            } catch {
                failure = failure ?? error.answer(for: ModelKey.name(key))
            }
        }
        if let failure { throw failure }
    }

    /// Has the sources of repositories bring what they have of a model, and of those that it needs.
    private func fetch(
        _ name: String, override: ModelOverride?, isFetched: Bool, _ attempt: LoadAttempt
    ) throws(LoadFailure) {
        guard !loader.sources.isEmpty, !isFetched, override?.files.isEmpty != false else { return }
        do throws(HalcyonError) {
            try bounded(attempt, until: deadline) { [self] () throws(HalcyonError) in
                var failure: HalcyonError?
                _ = try? EnsembleOrder.needed(for: name) { (other) throws(HalcyonError) in
                    do throws(HalcyonError) {
                        let model = RepositoryScope.model(ModelKey.name(other))
                        try loader.sources.update(model, clock: loader.environment.clock, signal: changed) {
                            self.reason(toEnd: attempt)
                        }
                    } catch {
                        failure = failure ?? error
                        throw error
                    }
                    // What is wrong with it is found when it is loaded.
                    return (try? loader.steps(other, override: other == name ? override : nil)) ?? []
                }
                if let failure { throw failure }
            }
        } catch {
            note(error, for: name, isUnread: true)
            throw LoadFailure(error: error, stage: .reading)
        }
    }

    private func loadWithSteps(
        _ name: String, override: ModelOverride?, evenIfLoaded: Bool, _ attempt: LoadAttempt
    ) throws(LoadFailure) {
        let order: Result<[String], EnsembleOrder.Failure>
        do {
            order = try bounded(attempt, until: deadline) { [loader] in
                Result { () throws(EnsembleOrder.Failure) in
                    try EnsembleOrder.needed(for: name) { (other) throws(HalcyonError) in
                        try loader.steps(other, override: other == name ? override : nil)
                    }
                }
            }
        } catch {
            throw LoadFailure(error: error, stage: .abandoned)
        }
        switch order {
        case .success(let needed):
            for step in needed {
                do {
                    try loadAlone(step, override: nil, evenIfLoaded: false, attempt)
                } catch {
                    let reason = error.error.prefixed("ensemble '\(name)' needs model '\(step)': ")
                    note(reason, for: name)
                    throw LoadFailure(error: reason, stage: .making)
                }
            }
        case .failure(let failure) where failure.isCycle:
            note(failure.error, for: name)
            throw LoadFailure(error: failure.error, stage: .making)
        // What is wrong with a model's own files is found again below, and kept as the reason.
        case .failure: break
        }
        try loadAlone(name, override: override, evenIfLoaded: evenIfLoaded, attempt)
    }

    /// Keeps the reason why a model is not loaded.
    private func note(_ error: HalcyonError, for name: String, isUnread: Bool = false) {
        table.withLock { $0.entries[name, default: ModelEntry()].note(error.message, isUnread: isUnread) }
    }

    private var deadline: UInt64? {
        let (deadline, overflow) = loader.environment.clock.now().addingReportingOverflow(loadTimeout)
        return loadTimeout == 0 || overflow ? nil : deadline
    }

    private func surroundings(_ attempt: LoadAttempt, _ abandonment: LoadAbandonment) -> ModelLoader.Surroundings {
        ModelLoader.Surroundings(
            configuration: { [self] step throws(HalcyonError) in
                try hold(step.modelName, version: step.modelVersion).model.configuration
            },
            resolver: { [weak self] (key, steps) throws(HalcyonError) in
                guard let self else { throw HalcyonError(.unavailable, "the server is no more") }
                return try table.withLock { table throws(HalcyonError) in try table.route(of: key, steps) }
            },
            isGivenUp: { [weak self] in self.map { $0.reason(toEnd: attempt) != nil } ?? true },
            abandonment: abandonment)
    }

    private func loadAlone(
        _ name: String, override: ModelOverride?, evenIfLoaded: Bool, _ attempt: LoadAttempt
    ) throws(LoadFailure) {
        var stage = LoadFailure.Stage.abandoned
        let old: [ServedModel]
        do {
            old = try inTurn(name, attempt: attempt) { () throws(HalcyonError) -> [ServedModel] in
                if !evenIfLoaded, table.withLock({ $0.entries[name]?.isServing == true }) { return [] }
                guard let lease = permits.take(unless: { reason(toEnd: attempt) != nil }) else {
                    throw reason(toEnd: attempt) ?? Self.stopping
                }
                defer { permits.giveBack(lease) }
                return try replace(name, override: override, attempt, &stage)
            }
        } catch {
            throw LoadFailure(error: error, stage: reason(toEnd: attempt) == nil ? stage : .abandoned)
        }
        if !old.isEmpty { drainInBackground(name, old) }
    }

    /// Makes what the model's folder asks for, and puts it into service.
    ///
    /// - Parameter stage: how far it came.
    /// - Returns: what is out of service now.
    private func replace(
        _ name: String, override: ModelOverride?, _ attempt: LoadAttempt, _ stage: inout LoadFailure.Stage
    ) throws(HalcyonError) -> [ServedModel] {
        let deadline = deadline
        let preparation = try prepare(name, override: override, attempt, until: deadline, &stage)
        stage = .making
        var plan = try table.withLock { table throws(HalcyonError) in
            try table.entries[name, default: ModelEntry()].begin(preparation.identities)
        }
        var fresh: [ServedModel] = []
        var adjustments: [ModelLoader.Adjustment] = []
        var current = plan.change.first
        do throws(HalcyonError) {
            for version in plan.adjust {
                current = version
                if let adjustment = try adjust(name, version, preparation, attempt, until: deadline) {
                    adjustments.append(adjustment)
                } else {
                    plan.makeAnew(version)
                }
            }
            for version in plan.load {
                current = version
                let abandonment = LoadAbandonment()
                defer { abandonment.end() }
                fresh.append(
                    try bounded(
                        attempt, until: deadline, abandonment,
                        discard: { [loader] in _ = loader.stop([$0], deadline: nil) }
                    ) { [loader, surroundings = surroundings(attempt, abandonment)] () throws(HalcyonError) in
                        try loader.load(preparation, version: version, in: surroundings)
                    })
            }
            if let reason = reason(toEnd: attempt) { throw reason }
            while let adjustment = adjustments.first {
                adjustments.removeFirst()
                try adjustment.apply()
            }
            let old = try commit(plan, fresh, of: name, preparation, attempt)
            preparation.agents?.loaded()
            return old
        } catch {
            for adjustment in adjustments { adjustment.discard() }
            _ = loader.stop(fresh, deadline: nil)
            let failed = current
            try table.withLock { [plan] table throws(HalcyonError) in
                try table.entries[name]?.fail(plan, at: failed, error.message)
            }
            throw error
        }
    }

    /// Makes other instances for a version that serves.
    ///
    /// - Returns: `nil` where the version has to be made again for that.
    private func adjust(
        _ name: String, _ version: Int64, _ preparation: ModelLoader.Preparation, _ attempt: LoadAttempt,
        until deadline: UInt64?
    ) throws(HalcyonError) -> ModelLoader.Adjustment? {
        guard let served = table.withLock({ $0.entries[name]?.served[version] }) else { return nil }
        return try bounded(attempt, until: deadline, discard: { $0?.discard() }) { [loader] () throws(HalcyonError) in
            try loader.adjust(served, to: preparation)
        }
    }

    private func prepare(
        _ name: String, override: ModelOverride?, _ attempt: LoadAttempt, until deadline: UInt64?,
        _ stage: inout LoadFailure.Stage
    ) throws(HalcyonError) -> ModelLoader.Preparation {
        let preparation: Result<ModelLoader.Preparation, LoadFailure>
        do {
            preparation = try bounded(attempt, until: deadline) { [loader] in
                Result { () throws(LoadFailure) in try loader.prepare(name, override: override) }
            }
        } catch {
            note(error, for: name)
            throw error
        }
        do throws(LoadFailure) {
            return try preparation.get()
        } catch {
            stage = error.stage
            let reason = error.error
            // A name that is no model leaves no trace.
            let isUnknown = table.withLock { table in
                guard reason.code == .notFound, table.entries[name]?.isServing != true else { return false }
                if table.entries[name]?.isDraining != true { table.entries[name] = nil }
                return true
            }
            if !isUnknown { note(reason, for: name, isUnread: error.stage == .reading) }
            throw reason
        }
    }

    private func commit(
        _ plan: VersionPlan, _ fresh: [ServedModel], of name: String, _ preparation: ModelLoader.Preparation,
        _ attempt: LoadAttempt
    ) throws(HalcyonError) -> [ServedModel] {
        let versionPolicy = preparation.definition.configuration.versionPolicy
        return try table.withLock { table throws(HalcyonError) in
            if let reason = attempt.reason { throw reason }
            guard !table.isStopped else { throw Self.stopping }
            try table.checkCircles(fresh)
            let old = try table.entries[name]?.commit(plan, fresh, versionPolicy: versionPolicy) ?? []
            for model in old { table.draining[model.generation] = model }
            return old
        }
    }

    // MARK: What may hang

    /// Does a load's work on a thread of its own, and waits for it as long as the load is wanted and has time. Nothing
    /// can interrupt an engine in this process: what is not waited for goes on by itself, holds up nobody, and is
    /// discarded when it ends.
    ///
    /// - Parameters:
    ///   - abandonment: told that nobody waits any more.
    ///   - discard: what becomes of what nobody waits for any more.
    private func bounded<Value: Sendable>(
        _ attempt: LoadAttempt, until deadline: UInt64?, _ abandonment: LoadAbandonment? = nil,
        discard: @escaping @Sendable (Value) -> Void = { _ in },
        _ body: @escaping @Sendable () throws(HalcyonError) -> Value
    ) throws(HalcyonError) -> Value {
        if let reason = reason(toEnd: attempt) { throw reason }
        guard hanging.withLock({ $0 < Self.mostHanging }) else {
            throw HalcyonError(
                .unavailable,
                "\(Self.mostHanging) loads that were given up still hang in their engines: the server has to be "
                    + "restarted"
            )
        }
        let work = DetachedWork(body, discard: discard) { [self] wasAbandoned in
            if wasAbandoned { hanging.withLock { $0 -= 1 } }
            changed.notify()
        }
        _ = changed.wait(until: deadline, clock: loader.environment.clock) {
            work.isDone || self.reason(toEnd: attempt) != nil
        }
        if let result = work.take() { return try result.get() }
        hanging.withLock { $0 += 1 }
        abandonment?.giveUp()
        throw reason(toEnd: attempt)
            ?? HalcyonError(
                .unavailable,
                "the load was given up, as it has taken more than \(loadTimeout / 1_000_000_000) s "
                    + "(--model-load-timeout-secs)")
    }
}
