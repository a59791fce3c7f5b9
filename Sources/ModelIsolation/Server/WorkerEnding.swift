internal import ModelRuntime

/// Why a worker is gone.
package enum WorkerEnding: Hashable, Sendable {
    case exited(Int32)
    /// A signal that nobody here sent.
    case killed(signal: Int32, memoryWasShort: Bool)
    /// It got no more memory, and ended itself.
    case starved(MemoryBound?)
    /// It took more memory than its model may.
    case memory(bytes: UInt64, limit: UInt64)
    /// An execution took longer than it may, in nanoseconds.
    case overrun(UInt64)
    /// It stood still, as somebody had stopped it.
    case stopped
    /// It said what the protocol does not allow, or nothing at all.
    case fault(String)
    /// It is not needed any more.
    case dismissed

    /// The cause as a label of a metric.
    package var label: String {
        switch self {
        case .exited: "exit"
        case .killed(_, true), .memory, .starved: "memory"
        case .killed: "signal"
        case .overrun: "timeout"
        case .stopped: "stopped"
        case .fault: "protocol"
        case .dismissed: "dismissed"
        }
    }

    /// Whether it comes of what the worker executed, and not from outside: a crash, an exit, too much memory.
    var isCrash: Bool {
        switch self {
        case .exited, .memory, .starved: true
        case .killed(let signal, let memoryWasShort): memoryWasShort || ![2, 9, 15].contains(signal)
        case .overrun, .stopped, .fault, .dismissed: false
        }
    }

    /// All causes that a metric shows.
    static let labels = ["exit", "memory", "protocol", "signal", "stopped", "timeout"]

    private static let signals: [Int32: String] = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
        9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
    ]

    /// The end of a sentence that begins with what is gone.
    package var words: String {
        switch self {
        case .exited(let status): return "ended with status \(status)"
        case .killed(let signal, let memoryWasShort):
            let name = Self.signals[signal].map { " (\($0))" } ?? ""
            let reason = memoryWasShort ? ", as the system was short of memory" : ""
            return "was ended by signal \(signal)\(name)\(reason)"
        case .starved(let bound):
            return "ended itself, as it got no more memory: \(bound?.words ?? "the system is short of it")"
        case .memory(let bytes, let limit):
            return "was ended, as it took \(bytes >> 20) MiB of memory and may take \(limit >> 20)"
        case .overrun(let limit): return "was ended, as it had not answered for \(Self.duration(limit))"
        case .stopped: return "was ended, as it had been stopped by a signal"
        case .fault(let what): return "was ended, as it broke the rules between them: \(what)"
        case .dismissed: return "was dismissed"
        }
    }

    static func duration(_ nanoseconds: UInt64) -> String {
        nanoseconds < 1_000_000 ? "\(nanoseconds / 1000) µs" : "\(nanoseconds / 1_000_000) ms"
    }
}
