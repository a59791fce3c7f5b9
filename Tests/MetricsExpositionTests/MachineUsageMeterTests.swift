import MetricsExposition
import ModelRuntime
import Testing
import Threads

/// `/proc` with what a test writes into it.
private final class Files: Sendable {
    private let texts: Locked<[String: String]>

    init(stat: String, memory: String = "MemTotal:  4 kB\nMemFree:  1 kB\nMemAvailable:  3 kB\n") {
        texts = Locked(["/proc/stat": stat, "/proc/meminfo": memory])
    }

    func write(stat: String) { texts.withLock { $0["/proc/stat"] = stat } }

    func meter() -> MachineUsageMeter { MachineUsageMeter { path in self.texts.withLock { $0[path] } } }
}

@Suite("Machine usage")
struct MachineUsageMeterTests {
    @Test("The processors' share is that since the last sample, without idling and waiting, guests counted once")
    func utilization() throws {
        let files = Files(stat: "cpu  10 10 10 100 100 10 10 10 5 5\ncpu0 9 9 9 9 9 9 9 9 9 9\n")
        let meter = files.meter()
        files.write(stat: "cpu  11 11 11 103 103 11 11 11 99 99\n")
        #expect(try #require(meter.sample()).cpuUtilization == 0.5)
        #expect(try #require(meter.sample()).cpuUtilization == 0.5, "no time has passed")
        files.write(stat: "cpu  11 11 11 113 102 11 11 11 0 0\n")
        #expect(try #require(meter.sample()).cpuUtilization == 0)
    }

    @Test("Memory in use is what is not available, in bytes")
    func memory() throws {
        let usage = try #require(Files(stat: "cpu  1 0 0 0 0 0 0 0 0 0\n").meter().sample())
        #expect(usage == MachineUsage(cpuUtilization: 0, memoryTotalBytes: 4096, memoryUsedBytes: 1024))
    }

    @Test(
        "Where the system does not say there is no sample",
        arguments: [
            ("", "MemTotal: 4 kB\nMemAvailable: 3 kB\n"),
            ("cpu  1 2 3\n", "MemTotal: 4 kB\nMemAvailable: 3 kB\n"),
            ("cpu  1 2 3 4 5 6 7 x\n", "MemTotal: 4 kB\nMemAvailable: 3 kB\n"),
            ("cpu  1 2 3 4 5 6 7 8\n", "MemTotal: 4 kB\n"),
            ("cpu  1 2 3 4 5 6 7 8\n", "MemTotal: 4 kB\nMemAvailable: 5 kB\n"),
            ("cpu  1 2 3 4 5 6 7 8\n", "MemTotal: 18446744073709551615 kB\nMemAvailable: 3 kB\n"),
        ])
    func damaged(stat: String, memory: String) {
        #expect(Files(stat: stat, memory: memory).meter().sample() == nil)
    }

    @Test("This machine says")
    func thisMachine() throws {
        let usage = try #require(MachineUsageMeter().sample())
        #expect((0...1).contains(usage.cpuUtilization))
        #expect(usage.memoryUsedBytes > 0 && usage.memoryUsedBytes < usage.memoryTotalBytes)
    }
}
