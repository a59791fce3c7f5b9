private import Glibc

/// How much memory this process may use.
package enum MemoryLimit {
    /// Bytes: the machine's, or what the control group or the limit of the address space allow where that is less.
    package static func detected() -> Int {
        var limits: [Int] = []
        if let line = ControlGroup.readLine("/proc/meminfo", where: { $0.hasPrefix("MemTotal:") }) {
            limits.append((line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10)
        }
        for folder in ControlGroup.directories(version1: "memory") {
            for file in ["memory.max", "memory.limit_in_bytes"] {
                if let line = ControlGroup.readLine("\(folder)/\(file)"), let bytes = Int(line) { limits.append(bytes) }
            }
        }
        var space = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space) == 0 {
            limits.append(Int(clamping: space.rlim_cur))
        }
        return limits.filter { $0 > 0 }.min() ?? fallback
    }

    private static let fallback = 4 << 30

    /// How much of it requests and answers may take, where the operator does not say: a quarter, as models, engines and
    /// copies need the rest; on small machines up to a half, so that a picture of a few megabytes always fits.
    package static func inflightBytes(of memory: Int) -> Int {
        max(memory / 4, min(memory / 2, leastInflightBytes))
    }

    private static let leastInflightBytes = 256 << 20
}
