private import CPlatform
private import Glibc
internal import Tensors

/// A program that runs as a child, in a process group of its own, so that it goes with all that it has started.
package struct ChildProcess {
    package enum Stream {
        case output
        case error
    }

    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    /// The absolute path of the program.
    var executable: String
    var arguments: [String]
    var environment: [String: String]
    /// Where it runs.
    var directory: String
    /// How long it may take to end when it is asked to, in milliseconds, before it is made to.
    var patience: Int32 = 2000

    package init(executable: String, arguments: [String], environment: [String: String], directory: String) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
    }

    /// Runs it to its end.
    ///
    /// Its standard input is a pipe that ends when this process does.
    ///
    /// - Parameter line: is called with each line of what it writes. An error from here ends the child.
    /// - Throws: `notFound` or `unavailable` where it can't be started, `cancelled` after an interrupt, and what `line`
    ///   throws. The child has ended in any case.
    package func run(interrupts: Interrupts, line: (Stream, String) throws -> Void) throws -> Ending {
        var pipes = Pipes()
        defer { pipes.closeAll() }
        try pipes.open()
        let child = try spawn(pipes)
        pipes.closeChildEnds()
        do {
            try forward(child, pipes, interrupts, line)
            return wait(child)
        } catch {
            end(child)
            throw error
        }
    }

    // MARK: Start

    /// Standard input, output and error, each the end for the child and that for us.
    private struct Pipes {
        var ours: [Int32] = [-1, -1, -1]
        var childs: [Int32] = [-1, -1, -1]

        mutating func open() throws(HalcyonError) {
            for index in 0..<3 {
                var ends: [Int32] = [-1, -1]
                let number = halcyon_pipe(&ends)
                guard number == 0 else {
                    throw HalcyonError(.unavailable, "no pipe can be made: \(String(cString: strerror(number)))")
                }
                (ours[index], childs[index]) = index == 0 ? (ends[1], ends[0]) : (ends[0], ends[1])
            }
        }

        mutating func closeChildEnds() { Self.close(&childs) }

        mutating func closeAll() {
            Self.close(&childs)
            Self.close(&ours)
        }

        private static func close(_ ends: inout [Int32]) {
            for index in ends.indices where ends[index] >= 0 {
                Glibc.close(ends[index])
                ends[index] = -1
            }
        }
    }

    private func spawn(_ pipes: Pipes) throws(HalcyonError) -> pid_t {
        let settings = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var child: Int32 = 0
        let status = ([executable] + arguments).withCStrings { arguments in
            settings.withCStrings { settings in
                guard let arguments, let settings else { return EINVAL }
                return halcyon_spawn(executable, arguments, settings, directory, pipes.childs, &child)
            }
        }
        guard status == 0 else {
            throw HalcyonError(
                status == ENOENT ? .notFound : .unavailable,
                "'\(executable)' can't be started: \(String(cString: strerror(status)))")
        }
        return child
    }

    // MARK: While it runs

    /// Bytes that are still read of what was written before the child ended: more than a pipe holds by default.
    private static let rest = 1 << 20

    /// Until the child has ended, and its group with it; it is not reaped yet.
    ///
    /// What it has started may hold the pipes for longer, so their end is not waited for.
    private func forward(
        _ child: pid_t, _ pipes: Pipes, _ interrupts: Interrupts, _ line: (Stream, String) throws -> Void
    ) throws {
        var splitters = [LineSplitter(), LineSplitter()]
        let streams: [Stream] = [.output, .error]
        var entries = [
            pollfd(fd: pipes.ours[1], events: Int16(POLLIN), revents: 0),
            pollfd(fd: pipes.ours[2], events: Int16(POLLIN), revents: 0),
            pollfd(fd: interrupts.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        var isOpen: Bool { entries[0].fd >= 0 || entries[1].fd >= 0 }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var ended = false
        var rest = Self.rest
        while !ended || isOpen && rest > 0 {
            if !ended, Self.hasEnded(child) {
                ended = true
                // Its number, and so its group's, is its own until it is reaped.
                kill(-child, SIGKILL)
            }
            // Pipes that have ended mean that the child is about to.
            let ready = poll(&entries, nfds_t(entries.count), ended ? 0 : isOpen ? 100 : 5)
            guard ready >= 0 || errno == EINTR else {
                throw HalcyonError(.internal, "waiting for '\(executable)': \(String(cString: strerror(errno)))")
            }
            if ready < 0 { continue }
            if entries[2].revents != 0 { throw Interrupts.error }
            if ended, ready == 0 { break }
            for index in 0..<2 where entries[index].fd >= 0 && entries[index].revents != 0 {
                let count = read(entries[index].fd, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count > 0 {
                    if ended { rest -= count }
                    for text in splitters[index].add(buffer.prefix(count)) { try line(streams[index], text) }
                    continue
                }
                entries[index].fd = -1
            }
        }
        for index in 0..<2 {
            if let text = splitters[index].finish() { try line(streams[index], text) }
        }
    }

    /// Without reaping it.
    private static func hasEnded(_ child: pid_t) -> Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(child), &information, WEXITED | WNOHANG | WNOWAIT) != 0 || information.si_signo != 0
    }

    private func wait(_ child: pid_t) -> Ending {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { return .exited(255) }
        }
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
    }

    /// Asks the child and all that it started to end, and after a while makes them.
    private func end(_ child: pid_t) {
        kill(-child, SIGTERM)
        var waited: Int32 = 0
        while waited < patience {
            // Without reaping: its number must stay its own until the group has been told.
            if Self.hasEnded(child) { break }
            poll(nil, 0, 20)
            waited += 20
        }
        kill(-child, SIGKILL)
        _ = wait(child)
    }
}
