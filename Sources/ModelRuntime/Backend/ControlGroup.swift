private import Glibc

/// What the system says of this process's control group.
enum ControlGroup {
    /// The folders of the process's control group and of all groups above it: the tightest limit counts.
    ///
    /// - Parameter version1: the controller's folder where each has one of its own.
    static func directories(version1: String) -> [String] {
        var directories = ["/sys/fs/cgroup", "/sys/fs/cgroup/" + version1]
        // Version 2 names the group in a line `0::<path>`.
        guard let line = readLine("/proc/self/cgroup", where: { $0.hasPrefix("0::/") }) else { return directories }
        var path = "/sys/fs/cgroup"
        for component in line.dropFirst(3).split(separator: "/") where component != ".." {
            path += "/" + component
            directories.append(path)
        }
        return directories
    }

    /// The first line of a file that meets the condition.
    static func readLine(_ path: String, where isWanted: (String) -> Bool = { _ in true }) -> String? {
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
