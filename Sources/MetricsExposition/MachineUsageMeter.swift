private import Glibc
internal import ModelRuntime
internal import Threads

/// Reads the machine's usage from `/proc`. It may be called from any thread.
package final class MachineUsageMeter: Sendable {
    /// The processors' time since the machine started, in ticks, all of them together.
    struct ProcessorTime: Hashable {
        var busy: UInt64
        var idle: UInt64

        /// - Parameter text: `/proc/stat`, whose first line is `cpu` with user, nice, system, idle, iowait, irq,
        ///   softirq and steal. The times of guests behind them are part of user's and nice's.
        init?(_ text: String) {
            let fields = (text.split(separator: "\n").first ?? "").split(separator: " ")
            let times = fields.dropFirst().prefix(8).compactMap { UInt64($0) }
            guard fields.first == "cpu", times.count == 8 else { return nil }
            idle = times[3] &+ times[4]
            busy = times.reduce(0, &+) &- idle
        }

        /// The busy share of the time since `earlier`, from 0 to 1; `nil` where no time has passed. Waiting for input
        /// and output may go backwards a little, by the kernel's own account, and then counts as nothing.
        func utilization(since earlier: ProcessorTime) -> Double? {
            let busy = busy > earlier.busy ? busy - earlier.busy : 0
            let idle = idle > earlier.idle ? idle - earlier.idle : 0
            let (total, overflow) = busy.addingReportingOverflow(idle)
            return total == 0 || overflow ? nil : Double(busy) / Double(total)
        }
    }

    private struct State {
        var time: ProcessorTime?
        var utilization = 0.0
    }

    private let state: Locked<State>
    private let readFile: @Sendable (String) -> String?

    package convenience init() { self.init(readFile: Self.beginning) }

    /// - Parameter readFile: the text at a path; `nil` where it can't be read.
    package init(readFile: @escaping @Sendable (String) -> String?) {
        self.readFile = readFile
        state = Locked(State(time: readFile("/proc/stat").flatMap(ProcessorTime.init)))
    }

    /// The usage now; its processors' share is that since the last call, or since the meter was made.
    ///
    /// - Returns: `nil` where the system does not say.
    package func sample() -> MachineUsage? {
        guard let time = readFile("/proc/stat").flatMap(ProcessorTime.init),
            let memory = readFile("/proc/meminfo").flatMap(Self.memory)
        else { return nil }
        let utilization = state.withLock { state in
            state.utilization = state.time.flatMap { time.utilization(since: $0) } ?? state.utilization
            state.time = time
            return state.utilization
        }
        return MachineUsage(
            cpuUtilization: utilization, memoryTotalBytes: memory.total, memoryUsedBytes: memory.used)
    }

    /// - Parameter text: `/proc/meminfo`: a line `<name>: <number> kB` for each of many names.
    private static func memory(_ text: String) -> (total: UInt64, used: UInt64)? {
        func bytes(_ name: String) -> UInt64? {
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("\(name):") }) else { return nil }
            let fields = line.split(separator: " ")
            guard fields.count == 3, fields[2] == "kB", let count = UInt64(fields[1]) else { return nil }
            let (bytes, overflow) = count.multipliedReportingOverflow(by: 1024)
            return overflow ? nil : bytes
        }
        guard let total = bytes("MemTotal"), let available = bytes("MemAvailable"), available <= total else {
            return nil
        }
        return (total, total - available)
    }

    /// The first 16 KiB of a file, where all that is wanted stands.
    private static let beginning: @Sendable (String) -> String? = { path in
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
            count = fread(buffer.baseAddress, 1, buffer.count, file)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
