internal import ModelConfiguration
internal import ModelRuntime
internal import Tensors

/// What the server has of all its models, by key. A value; ``ModelManager`` keeps it under a lock.
struct ModelTable {
    var entries: [String: ModelEntry] = [:]
    /// Who loads and unloads, and who waits to.
    var turns = TurnQueue()
    /// Versions that are out of service and have still requests to finish.
    var draining: [UInt64: ServedModel] = [:]
    var isStopped = false

    /// The served version that a request means.
    ///
    /// - Parameter version: `nil` for the newest.
    /// - Throws: `notFound` for a model that nobody loaded, `unavailable` for one that is not ready, `invalidArgument` for
    ///   a name that several models have.
    func find(_ name: String, version: Int64?) throws(HalcyonError) -> ServedModel {
        var found = entries[name]
        if found?.isServing != true { found = entries[try key(name)] }
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
    func key(_ name: String) throws(HalcyonError) -> String {
        let isKey = name.utf8.first == UInt8(ascii: "/")
        if let entry = entries[name], !isKey || entry.isServing { return name }
        // One that was not alone with its name may be by now, and the other way round.
        if isKey { return entries[ModelKey.name(name)]?.isServing == true ? ModelKey.name(name) : name }
        let keys = entries.filter { ModelKey.name($0) == name && $1.isServing }.map(\.key)
        guard keys.count > 1 else { return keys.first ?? name }
        throw HalcyonError(
            .invalidArgument,
            "several models have the name '\(name)': write one of \(keys.sorted().joined(separator: ", "))")
    }

    // MARK: Ensembles

    /// The models of an ensemble's steps as they serve at this moment, held.
    ///
    /// - Throws: as ``HeldRoute/make(_:_:find:)``.
    func route(of ensemble: String, _ steps: [EnsembleScheduling.Step]) throws(HalcyonError) -> HeldRoute {
        try HeldRoute.make(ensemble, steps) { (step) throws(HalcyonError) in
            try find(step.modelName, version: step.modelVersion)
        }
    }

    /// Checks that ensembles would not need each other in a circle if these versions served: what lies in a repository
    /// may be another than what serves.
    ///
    /// - Throws: `invalidArgument` with the circle.
    func checkCircles(_ fresh: [ServedModel]) throws(HalcyonError) {
        for model in fresh where !model.steps.isEmpty {
            do {
                _ = try EnsembleOrder.needed(for: model.key) { (key) throws(HalcyonError) in
                    key == model.key ? model.steps.map(\.modelName) : servedSteps(of: key)
                }
            } catch {
                throw error.error
            }
        }
    }

    /// The keys of the models that the served versions of a model need directly.
    private func servedSteps(of name: String) -> [String] {
        (try? key(name)).flatMap { entries[$0] }?.steps ?? []
    }

    /// The models that a served model needs and that nobody else does, outer ones before inner ones.
    func dependents(of name: String) -> [String] {
        guard let key = try? key(name) else { return [] }
        let steps = entries.filter(\.value.isServing).mapValues { entry in
            Set(entry.steps.map { (try? self.key($0)) ?? $0 })
        }
        var own: Set<String> = []
        var open = Array(steps[key] ?? [])
        while let next = open.popLast() {
            if next != key, own.insert(next).inserted { open += steps[next] ?? [] }
        }
        // Whatever somebody else needs stays, and so does what that needs.
        while true {
            let others = steps.filter { $0.key != key && !own.contains($0.key) }.values
            let needed = others.reduce(into: Set<String>()) { $0.formUnion($1) }
            let left = own.subtracting(needed)
            if left == own { break }
            own = left
        }
        return EnsembleOrder.stopping(steps.filter { own.contains($0.key) }).flatMap(\.self)
    }

    // MARK: Readiness

    /// Why a served version is not ready; `nil` where it is.
    func complaint(of model: ServedModel) -> String? {
        var known: [ObjectIdentifier: String?] = [:]
        return complaint(of: model, &known)
    }

    /// - Parameter known: what has been found out about others on the way here.
    private func complaint(of model: ServedModel, _ known: inout [ObjectIdentifier: String?]) -> String? {
        if let found = known[ObjectIdentifier(model)] { return found }
        // What comes back here on its own way is a circle.
        known[ObjectIdentifier(model)] = .some("ensembles need each other in a circle")
        let complaint = model.executor.complaint ?? stepComplaint(of: model, &known)
        known[ObjectIdentifier(model)] = .some(complaint)
        return complaint
    }

    private func stepComplaint(of model: ServedModel, _ known: inout [ObjectIdentifier: String?]) -> String? {
        var models: [ServedModel] = []
        for (index, step) in model.steps.enumerated() {
            let place = "step \(index), model '\(step.modelName)': "
            do throws(HalcyonError) {
                let other = try find(step.modelName, version: step.modelVersion)
                if let complaint = complaint(of: other, &known) { return place + complaint }
                models.append(other)
            } catch {
                return place + error.message
            }
        }
        return model.disagreement(with: models)
    }

    /// Why a model does not serve, or not as it should; `nil` where it does, and where nobody wants it to.
    func complaint(of entry: ModelEntry) -> String? {
        guard entry.isServing else { return entry.failureReason }
        return entry.served.sorted { $0.key < $1.key }.lazy.compactMap { complaint(of: $0.value) }.first
    }
}
