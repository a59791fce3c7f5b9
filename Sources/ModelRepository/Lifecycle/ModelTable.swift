internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// What the server has of all its models, by key. A value; ``ModelManager`` keeps it under a lock.
struct ModelTable {
    var entries: [String: ModelEntry] = [:] {
        didSet { named = Self.named(entries.keys) }
    }
    /// The keys that are more than a name, by the name in them.
    private var named: [String: [String]] = [:]
    /// Who loads and unloads, and who waits to.
    var turns = TurnQueue()
    /// The loads that are under way or wait for their turn, by the ticket of that.
    var attempts: [TurnQueue.Ticket: LoadAttempt] = [:]
    /// Versions that are out of service and have still requests to finish.
    var draining: [UInt64: ServedModel] = [:]
    var isStopped = false

    private static func named(_ keys: Dictionary<String, ModelEntry>.Keys) -> [String: [String]] {
        var named: [String: [String]] = [:]
        for key in keys where key.utf8.first == UInt8(ascii: "/") { named[ModelKey.name(key), default: []].append(key) }
        return named
    }

    /// The served version that a request means.
    ///
    /// - Parameter version: `nil` for the newest.
    /// - Throws: `notFound` for a model that nobody loaded, for a version that it never had and for one without any
    ///   that serves; `unavailable` for a version that does not serve now, and where the server is being stopped;
    ///   `invalidArgument` for a name that several models have.
    func find(_ name: String, version: Int64?) throws(HalcyonError) -> ServedModel {
        let key = named.isEmpty ? name : try self.key(name)
        // What every request asks for, without a copy of the entry.
        if let model = entries[key]?.model(version) { return model }
        guard let entry = entries[key] else {
            throw HalcyonError(.notFound, "Request for unknown model: '\(name)' is not found")
        }
        guard let version else {
            let reason = entry.reason.isEmpty ? "" : ": \(entry.reason)"
            throw HalcyonError(
                isStopped ? .unavailable : .notFound,
                "Request for unknown model: '\(name)' has no available versions\(reason)")
        }
        guard let reason = entry.reason(of: version) else {
            throw HalcyonError(.notFound, "Request for unknown model: '\(name)' version \(version) is not found")
        }
        throw HalcyonError(
            .unavailable,
            "Request for unknown model: '\(name)' version \(version) is not at ready state"
                + (reason.isEmpty ? "" : ": \(reason)"))
    }

    /// The versions of a model that serve, ascending.
    func versions(_ name: String) -> [Int64] {
        (try? key(name)).flatMap { entries[$0] }?.served.keys.sorted() ?? []
    }

    /// The key of the model that a client or an ensemble means by a name or a key.
    ///
    /// - Throws: `invalidArgument` for a name that several models have.
    func key(_ name: String) throws(HalcyonError) -> String {
        let keys = keys(named: name)
        let serving = keys.filter { entries[$0]?.isServing == true }
        guard serving.count > 1 else { return serving.first ?? keys.first ?? name }
        throw HalcyonError(
            .invalidArgument,
            "There are \(serving.count) identifiers of model '\(name)' in global map, model namespace must be "
                + "provided to resolve ambiguity: several models have that name, write one of "
                + "\(serving.joined(separator: ", "))")
    }

    /// The keys of the models that have a name, in order; the name itself where none has.
    func keys(named name: String) -> [String] {
        let keys = (entries[name] == nil ? [] : [name]) + (named[name] ?? [])
        return keys.isEmpty ? [name] : keys.sorted()
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

    /// Why a model is not ready.
    struct Complaint {
        var text: String
        /// Whether it is for a model that somebody wanted to be unloaded: then nothing has failed.
        var isOfUnloading = false
    }

    /// Why a served version is not ready; `nil` where it is.
    func complaint(of model: ServedModel) -> Complaint? {
        var known: [ObjectIdentifier: Complaint?] = [:]
        return complaint(of: model, &known)
    }

    /// - Parameter known: what has been found out about others on the way here.
    private func complaint(of model: ServedModel, _ known: inout [ObjectIdentifier: Complaint?]) -> Complaint? {
        if let found = known[ObjectIdentifier(model)] { return found }
        // What comes back here on its own way is a circle.
        known[ObjectIdentifier(model)] = .some(Complaint(text: "ensembles need each other in a circle"))
        let complaint = model.executor.complaint.map { Complaint(text: $0) } ?? stepComplaint(of: model, &known)
        known[ObjectIdentifier(model)] = .some(complaint)
        return complaint
    }

    private func stepComplaint(of model: ServedModel, _ known: inout [ObjectIdentifier: Complaint?]) -> Complaint? {
        var models: [ServedModel] = []
        for (index, step) in model.steps.enumerated() {
            let place = "step \(index), model '\(step.modelName)': "
            do throws(HalcyonError) {
                let other = try find(step.modelName, version: step.modelVersion)
                if let complaint = complaint(of: other, &known) {
                    return Complaint(text: place + complaint.text, isOfUnloading: complaint.isOfUnloading)
                }
                models.append(other)
            } catch {
                let entry = (try? key(step.modelName)).flatMap { entries[$0] }
                return Complaint(text: place + error.message, isOfUnloading: entry?.isUnloaded == true)
            }
        }
        return model.disagreement(with: models).map { Complaint(text: $0) }
    }

    /// Why a model does not serve, or not as it should; `nil` where it does, and where nobody wants it to.
    func complaint(of entry: ModelEntry) -> Complaint? {
        guard entry.isServing else { return entry.failureReason.map { Complaint(text: $0) } }
        return entry.served.sorted { $0.key < $1.key }.lazy.compactMap { complaint(of: $0.value) }.first
    }
}
