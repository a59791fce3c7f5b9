internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// What the server has of one model: the versions that serve, and where each version that was asked for stands.
struct ModelEntry {
    private(set) var served: [Int64: ServedModel] = [:] {
        didSet { newest = served.max { $0.key < $1.key }?.value }
    }
    private var versions: [Int64: VersionLifecycle] = [:]
    /// How many of each version have still requests to finish.
    private var draining: [Int64: Int] = [:]
    /// Why the last load failed before it came to versions; empty where it did not.
    private(set) var failure = ""
    /// Whether that was because what lies in the repository could not be read as a model.
    private(set) var isUnread = false

    /// The version that a request without one gets.
    private(set) var newest: ServedModel?

    /// - Parameter version: `nil` for the newest.
    func model(_ version: Int64?) -> ServedModel? { version.map { served[$0] } ?? newest }

    var isServing: Bool { !served.isEmpty }

    /// The keys of the models that the versions that serve need directly.
    var steps: [String] { served.values.flatMap { $0.steps.map(\.modelName) } }

    /// Whether a version is out of service and has still requests to finish.
    var isDraining: Bool { !draining.isEmpty }

    /// Why no version serves.
    var reason: String {
        guard failure.isEmpty else { return failure }
        return versions.sorted { $0.key > $1.key }.lazy.map(\.value.reason).first { !$0.isEmpty } ?? ""
    }

    /// Why a version does not serve, which may be nothing; `nil` for one that the server does not know.
    func reason(of version: Int64) -> String? {
        versions[version].map { $0.reason.isEmpty ? failure : $0.reason }
    }

    /// Whether nothing of it serves because somebody wanted that.
    var isUnloaded: Bool {
        !isServing && failure.isEmpty && !versions.isEmpty
            && versions.values.allSatisfy { $0.isUnloaded || $0.phase == .unloading }
    }

    /// Keeps the reason why a load failed before it came to versions.
    ///
    /// - Parameter isUnread: whether what lies in the repository could not be read as a model.
    mutating func note(_ failure: String, isUnread: Bool = false) {
        self.failure = failure
        self.isUnread = isUnread
    }

    /// Why no version serves; `nil` where one does, and where nobody wants one to.
    var failureReason: String? {
        let isWanted = versions.values.contains { !$0.isUnloaded && $0.phase != .unloading }
        return isServing || failure.isEmpty && !isWanted ? nil : reason
    }

    // MARK: Loading

    /// Begins a load.
    ///
    /// - Parameter wanted: the versions that are to serve, and what they would be made of.
    /// - Returns: what has to be done; an instance that does not answer is no reason to keep its version.
    mutating func begin(_ wanted: [Int64: VersionIdentity?]) throws(HalcyonError) -> VersionPlan {
        let plan = VersionPlan(
            serving: served.mapValues { $0.executor.complaint == nil ? $0.identity : nil }, wanted: wanted)
        note("")
        // What is neither there nor wanted any more is forgotten.
        versions = versions.filter { version, lifecycle in
            lifecycle.phase != .unavailable || plan.load.contains(version)
        }
        for version in plan.change { try apply(.begin, to: version) }
        return plan
    }

    /// Ends a load of which one version failed: all come together, or none does.
    ///
    /// - Parameter failed: `nil` where there was none to be made, and what there was could not be changed.
    mutating func fail(_ plan: VersionPlan, at failed: Int64?, _ reason: String) throws(HalcyonError) {
        guard let failed else {
            note(reason)
            return
        }
        for version in plan.change {
            try apply(
                .fail(version == failed ? reason : "not put into service, as version \(failed) failed: \(reason)"),
                to: version)
        }
    }

    /// Puts the new versions into service, and takes those that are to go out of it.
    ///
    /// - Returns: what is to be stopped now.
    mutating func commit(
        _ plan: VersionPlan, _ fresh: [ServedModel], versionPolicy: VersionPolicy
    ) throws(HalcyonError) -> [ServedModel] {
        let old = plan.retire.compactMap { served.removeValue(forKey: $0) }
        for version in plan.keep {
            try apply(.keep, to: version)
            served[version]?.keep(versionPolicy: versionPolicy)
        }
        for version in plan.adjust {
            try apply(.succeed, to: version)
            served[version]?.keep(versionPolicy: versionPolicy)
        }
        for model in fresh {
            served[model.version] = model
            try apply(.succeed, to: model.version)
        }
        for version in plan.retire where !plan.load.contains(version) { try apply(.retire, to: version) }
        for model in old { draining[model.version, default: 0] += 1 }
        return old
    }

    // MARK: Unloading

    /// Takes everything out of service.
    ///
    /// - Returns: what is to be stopped now.
    mutating func retireAll() throws(HalcyonError) -> [ServedModel] {
        for version in served.keys { try apply(.retire, to: version) }
        let old = served.sorted { $0.key < $1.key }.map(\.value)
        served = [:]
        // Nobody wants what has failed any more either.
        note("")
        for (version, lifecycle) in versions where lifecycle.phase == .unavailable { try apply(.retire, to: version) }
        for model in old { draining[model.version, default: 0] += 1 }
        return old
    }

    /// One that was taken out of service has been stopped.
    mutating func drained(_ version: Int64) throws(HalcyonError) {
        guard let count = draining[version] else { return }
        draining[version] = count > 1 ? count - 1 : nil
        // One that has been loaded again meanwhile, or is about to be, is past that.
        if count == 1, versions[version]?.phase == .unloading { try apply(.drain, to: version) }
    }

    private mutating func apply(_ event: VersionLifecycle.Event, to version: Int64) throws(HalcyonError) {
        try versions[version, default: VersionLifecycle()].apply(event)
    }

    // MARK: Looking

    /// The model's lines of the index, by version.
    ///
    /// - Parameter complaint: why a served version is not ready.
    func index(name: String, complaint: (ServedModel) -> ModelTable.Complaint?) -> [ModelIndexEntry] {
        guard !versions.isEmpty else {
            return [ModelIndexEntry(name: name, state: failure.isEmpty ? nil : .unavailable, reason: failure)]
        }
        return versions.sorted { $0.key < $1.key }.map { version, lifecycle in
            if let complaint = served[version].flatMap(complaint) {
                return ModelIndexEntry(
                    name: name, version: version, state: .unavailable,
                    reason: complaint.isOfUnloading
                        ? "\(VersionLifecycle.unloaded): \(complaint.text)" : complaint.text)
            }
            return ModelIndexEntry(
                name: name, version: version, state: lifecycle.state,
                reason: lifecycle.reason.isEmpty ? failure : lifecycle.reason)
        }
    }
}
