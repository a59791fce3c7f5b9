import Foundation
import HalcyonTestKit
import Testing

@testable import ModelConversion

struct ChildProcessTests {
    private struct Run {
        var ending: ChildProcess.Ending
        var lines: [String]
        var seconds: Double

        /// The process that the first line names.
        var process: pid_t? { lines.first.flatMap { pid_t($0) } }
    }

    private func run(_ script: String) throws -> Run {
        let child = ChildProcess(
            executable: "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"], directory: "/")
        var lines: [String] = []
        let start = ContinuousClock.now
        let ending = try child.run(interrupts: .none) { _, line in lines.append(line) }
        return Run(ending: ending, lines: lines, seconds: (ContinuousClock.now - start) / .seconds(1))
    }

    @Test func `What it leaves running in its group ends with it, and does not hold it up`() throws {
        let fifo = try TemporaryFolder.make().appendingPathComponent("held").path
        #expect(mkfifo(fifo, 0o600) == 0)
        let descriptor = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(descriptor) }
        let run = try run("exec 3> '\(fifo)'; sleep 40 & exit 3")
        #expect(run.ending == .exited(3))
        #expect(run.seconds < 30)
        // Nobody holds the other end any more.
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 10_000) == 1)
        #expect(Int32(entry.revents) & POLLHUP != 0)
    }

    @Test func `What has left its group and holds its pipes does not hold it up`() throws {
        let run = try run("setsid sleep 40 & echo $!; echo last; printf unended")
        #expect(run.ending == .exited(0))
        #expect(run.seconds < 30)
        #expect(Array(run.lines.dropFirst()) == ["last", "unended"])
        if let process = run.process { kill(process, SIGKILL) }
    }

    @Test func `One that closes its outputs is waited for, and all that it said is heard`() throws {
        let run = try run("yes line | head -n 40000; exec >&- 2>&-; kill -KILL $$")
        #expect(run.ending == .killed(signal: 9))
        #expect(run.lines.count == 40000)
    }
}
