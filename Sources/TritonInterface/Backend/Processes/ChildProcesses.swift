private import CPlatform
private import Glibc

/// The processes that a backend has started.
enum ChildProcesses {
    /// Those that the calling thread has started and nobody has waited for; empty where the system does not say.
    static func ofThisThread() -> Set<Int32> {
        guard let file = fopen("/proc/thread-self/children", "re") else { return [] }
        defer { fclose(file) }
        var text: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&part, 1, part.count, file)
            guard count > 0 else { break }
            text += part.prefix(count)
        }
        return Set(text.split(separator: 0x20).compactMap { Int32(String(decoding: $0, as: UTF8.self)) })
    }

    /// How a process has ended, as words that follow its name.
    static func ending(of process: Int32) -> String {
        var status: Int32 = 0
        var isSignalled = false
        guard halcyon_process_ending(process, &status, &isSignalled) else { return "has ended" }
        return isSignalled ? "was ended by signal \(status)" : "has ended with status \(status)"
    }

    /// Becomes readable when the process ends; `nil` where the system has no such thing.
    static func descriptor(of process: Int32) -> Int32? {
        let descriptor = halcyon_process_descriptor(process)
        return descriptor < 0 ? nil : descriptor
    }
}
