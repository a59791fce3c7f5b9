private import Glibc

/// The regions of shared memory through which the Python backend speaks with its processes: a server that was killed
/// leaves them behind.
package enum SharedMemoryLeftovers {
    private static let prefix = "halcyon_python_"
    private static let folder = "/dev/shm"

    /// What the names of this process's regions begin with: who it is, also where its number is used again.
    static var ownPrefix: String { "\(prefix)\(getpid())_\(startTime(of: getpid()) ?? 0)_" }

    /// Removes the regions of processes that are gone, and ends the processes of their models that are left.
    ///
    /// - Returns: the regions' names.
    package static func remove() -> [String] {
        endProcesses()
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var removed: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if isLeft(name, startTime: startTime), unlink("\(folder)/\(name)") == 0 { removed.append(name) }
        }
        return removed.sorted()
    }

    /// Ends the processes of models whose server is gone: some wait for it for ever. They name their region among
    /// their arguments.
    private static func endProcesses() {
        guard let stream = opendir("/proc") else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            guard let process = pid_t(name), process != getpid() else { continue }
            // Only what is the same user's can be ended.
            if arguments(of: process).contains(where: { isLeft($0, startTime: startTime) }) { kill(process, SIGKILL) }
        }
    }

    /// The regions of this process's that another names among its arguments.
    static func regions(of process: Int32) -> [String] {
        arguments(of: process).filter { $0.hasPrefix(ownPrefix) && !$0.contains("/") }
    }

    /// Removes regions that nobody will. Who has them mapped keeps them.
    static func remove(_ regions: [String]) {
        for name in regions { unlink("\(folder)/\(name)") }
    }

    private static func arguments(of process: pid_t) -> [String] {
        guard let file = fopen("/proc/\(process)/cmdline", "re") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16384)
        let count = fread(&bytes, 1, bytes.count, file)
        return bytes.prefix(count).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a file is a region of a process that is gone.
    ///
    /// - Parameter startTime: when the process of that number began; `nil` for none.
    static func isLeft(_ name: String, startTime: (Int32) -> UInt64?) -> Bool {
        guard name.hasPrefix(prefix) else { return false }
        let parts = name.dropFirst(prefix.count).split(separator: "_", maxSplits: 2)
        guard parts.count == 3, let process = Int32(parts[0]), let start = UInt64(parts[1]) else { return false }
        return startTime(process) != start
    }

    /// In ticks since the machine began.
    private static func startTime(of process: Int32) -> UInt64? {
        guard let file = fopen("/proc/\(process)/stat", "re") else { return nil }
        defer { fclose(file) }
        var bytes = [CChar](repeating: 0, count: 1024)
        guard fgets(&bytes, Int32(bytes.count), file) != nil else { return nil }
        let line = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The program's name, in parentheses, may have anything in it.
        guard let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }
}
