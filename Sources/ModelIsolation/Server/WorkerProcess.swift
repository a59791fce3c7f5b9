private import CPlatform
private import Glibc
package import Tensors
internal import Threads

/// A worker as the system sees it.
package protocol WorkerProcess: AnyObject, Sendable {
    /// Its number, for people and for what the system knows of it; 0 where there is none.
    var number: Int32 { get }
    /// Ends it at once. It may be called when it has ended, until ``wait()`` is.
    func kill()
    /// Waits until it has ended. Called once, by one thread.
    func wait() -> WorkerEnding
}

/// Starts workers.
package protocol WorkerLauncher: Sendable {
    /// - Parameters:
    ///   - control: the worker's end of the control channel, which stays the caller's.
    ///   - title: what people see of it in a list of processes.
    /// - Throws: `unavailable` where the system starts none.
    func launch(control: Int32, title: String) throws(HalcyonError) -> any WorkerProcess
}

/// Starts workers as processes: this program, or another that knows how to be one.
package struct ProcessLauncher: WorkerLauncher {
    package var executable: String
    /// Those before the title.
    package var arguments: [String]

    package init(executable: String, arguments: [String]) {
        self.executable = executable
        self.arguments = arguments
    }

    package func launch(control: Int32, title: String) throws(HalcyonError) -> any WorkerProcess {
        let launcher = self
        // A worker is bound to the life of the thread that starts it.
        return try Starter.shared.run { () throws(HalcyonError) in try launcher.start(control: control, title: title) }
    }

    private func start(control: Int32, title: String) throws(HalcyonError) -> any WorkerProcess {
        var child: Int32 = 0
        let failure = ([executable] + arguments + [title]).withCStrings { arguments in
            Self.environment().withCStrings { environment in
                halcyon_spawn_worker(executable, arguments, environment, control, &child)
            }
        }
        guard failure == 0 else {
            throw HalcyonError(
                .unavailable, "the worker '\(executable)' can't be started: \(String(cString: strerror(failure)))")
        }
        return SystemProcess(child)
    }

    /// That of this process. What ends a worker is said by its server, in a sentence.
    private static func environment() -> [String] {
        var variables: [String] = []
        var next = halcyon_environment()
        while let pointer = next, let entry = pointer.pointee {
            let text = String(cString: entry)
            if !text.hasPrefix("SWIFT_BACKTRACE=") { variables.append(text) }
            next = pointer + 1
        }
        return variables + ["SWIFT_BACKTRACE=enable=no"]
    }
}

private final class SystemProcess: WorkerProcess {
    let number: Int32
    private let memoryKills = halcyon_memory_kills()

    init(_ number: Int32) { self.number = number }

    /// Whether its number may be another's by now.
    private let isReaped = Locked(false)

    func kill() { isReaped.withLock { if !$0 { _ = Glibc.kill(number, SIGKILL) } } }

    func wait() -> WorkerEnding {
        var information = siginfo_t()
        while waitid(P_PID, id_t(number), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        // What it was kept to is known as long as it is there.
        let bound = MemoryBound(ofProcess: number)
        var status: Int32 = 0
        let isKnown = isReaped.withLock { isReaped in
            isReaped = true
            return waitpid(number, &status, 0) == number
        }
        guard isKnown else { return .exited(255) }
        let signal = status & 0x7F
        guard signal != 0 else {
            let code = (status >> 8) & 0xFF
            return code == MemoryWatch.exitStatus ? .starved(bound) : .exited(code)
        }
        return .killed(signal: signal, memoryWasShort: signal == SIGKILL && halcyon_memory_kills() > memoryKills)
    }
}

/// The thread that starts all workers of this process, and lives as long as it.
private final class Starter: Sendable {
    static let shared = Starter()

    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var isRunning = false
    }

    private let state = Locked(State())
    private let parker = Parker()

    func run(
        _ body: @escaping @Sendable () throws(HalcyonError) -> any WorkerProcess
    ) throws(HalcyonError) -> any WorkerProcess {
        let outcome = Locked<Result<any WorkerProcess, HalcyonError>?>(nil)
        let done = Signal()
        let mustStart = state.withLock { state in
            state.waiting.append {
                let result = Result { () throws(HalcyonError) in try body() }
                outcome.withLock { $0 = result }
                done.notify()
            }
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if mustStart {
            do {
                try WorkerThread.detach(name: "workers") { [self] in serve() }
            } catch {
                state.withLock { $0 = State() }
                throw error
            }
        }
        parker.unpark()
        _ = done.wait(until: nil, clock: SystemClock()) { outcome.withLock { $0 != nil } }
        guard let result = outcome.withLock({ $0 }) else {
            throw HalcyonError(.internal, "a worker was started, and nobody knows how")
        }
        return try result.get()
    }

    private func serve() {
        while true {
            let work = state.withLock { state in state.waiting.isEmpty ? nil : state.waiting.removeFirst() }
            if let work { work() } else { parker.park() }
        }
    }
}
