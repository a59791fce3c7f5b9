private import CPlatform

/// The processors that this process may use, and how they are divided.
public struct CPUBudget: Hashable, Sendable {
    /// Cores that the server may keep busy; at least 1.
    public var cores: Int
    /// Where the number comes from, for the log.
    public var source: String

    /// A number given by the operator.
    public init(cores: Int) {
        self.cores = max(1, cores)
        source = "configured"
    }

    private init(cores: Int, source: String) {
        self.cores = cores
        self.source = source
    }

    /// What the process's affinity mask and its control group's quota allow, whichever is less. A quota that is not a
    /// whole number of processors is rounded up.
    public static func detected() -> CPUBudget {
        let affinity = Int(halcyon_affinity_count())
        guard let quota = ControlGroup.directories(version1: "cpu").compactMap(quotaCores(inGroup:)).min(),
            quota < affinity
        else { return CPUBudget(cores: max(1, affinity), source: "affinity") }
        return CPUBudget(cores: max(1, quota), source: "control group quota")
    }

    /// The cores that a control group's quota comes to; `nil` for no quota.
    ///
    /// - Parameters:
    ///   - version2: the line of `cpu.max`: a quota, or `max`, and a period, in microseconds.
    ///   - version1: the line of `cpu.cfs_quota_us`; −1 is no quota.
    ///   - version1Period: the line of `cpu.cfs_period_us`.
    package static func quotaCores(version2: String?, version1: String?, version1Period: String?) -> Int? {
        let fields: [Substring]
        if let version2 {
            fields = version2.split(separator: " ")
        } else if let version1, let version1Period {
            fields = [Substring(version1), Substring(version1Period)]
        } else {
            return nil
        }
        guard fields.count == 2, let quota = Int(fields[0]), let period = Int(fields[1]), quota > 0, period > 0 else {
            return nil
        }
        return max(1, quota / period + (quota % period == 0 ? 0 : 1))
    }

    /// The share of one model version.
    ///
    /// Every model may use all cores, as models are seldom busy at once and an engine's idle threads cost nothing;
    /// inside a model, the cores are divided over the streams, and there are never more streams than cores, so that
    /// more instances than cores only wait for each other instead of fighting. A model that batches gets at least two
    /// threads a stream where there are two: one large batch would leave the other streams idle, and inside a batch
    /// there is enough to do for all.
    public func plan(instances: Int, combinesRequests: Bool) -> CPUPlan {
        let most = combinesRequests ? max(1, cores / 2) : cores
        return CPUPlan(instances: instances, streams: max(1, min(instances, most)), threads: cores)
    }

    private static func quotaCores(inGroup directory: String) -> Int? {
        quotaCores(
            version2: ControlGroup.readLine(directory + "/cpu.max"),
            version1: ControlGroup.readLine(directory + "/cpu.cfs_quota_us"),
            version1Period: ControlGroup.readLine(directory + "/cpu.cfs_period_us"))
    }
}
