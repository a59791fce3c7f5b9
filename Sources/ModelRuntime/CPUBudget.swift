private import CPlatform
private import Glibc

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
        guard let quota = groupDirectories().compactMap(quotaCores(inGroup:)).min(), quota < affinity
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

    /// The folders of the process's control group and of all groups above it: the tightest quota counts.
    private static func groupDirectories() -> [String] {
        var directories = ["/sys/fs/cgroup", "/sys/fs/cgroup/cpu"]
        // Version 2 names the group in a line `0::<path>`.
        guard let line = readLine("/proc/self/cgroup", where: { $0.hasPrefix("0::/") }) else { return directories }
        var path = "/sys/fs/cgroup"
        for component in line.dropFirst(3).split(separator: "/") where component != ".." {
            path += "/" + component
            directories.append(path)
        }
        return directories
    }

    private static func quotaCores(inGroup directory: String) -> Int? {
        quotaCores(
            version2: readLine(directory + "/cpu.max"), version1: readLine(directory + "/cpu.cfs_quota_us"),
            version1Period: readLine(directory + "/cpu.cfs_period_us"))
    }

    /// The first line of a file that meets the condition.
    private static func readLine(_ path: String, where isWanted: (String) -> Bool = { _ in true }) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [CChar](repeating: 0, count: 4096)
        while fgets(&bytes, Int32(bytes.count), file) != nil {
            let text = String(
                decoding: bytes.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if isWanted(text) { return text }
        }
        return nil
    }
}
