import HalcyonTestKit
import Tensors
import Testing
import Threads

@testable import LoadGeneration

/// A target whose windows are written down, and whose clock moves when somebody waits.
private final class ScriptedTarget: LoadTarget {
    struct Script: Sendable {
        /// For each window how many requests succeed, and how many fail.
        var windows: [(requests: Int, errors: Int)]
        /// The window in which the server ends.
        var dies: Int?
        /// After how many windows a recording is over.
        var over: Int?
    }

    final class Driver: LoadDriver {
        let script: Script
        let taken = Locked(0)
        let stopped = Locked(false)
        init(_ script: Script) { self.script = script }

        private var index: Int { taken.withLock { $0 } }

        func take() -> LoadCounts {
            var counts = LoadCounts()
            let window = script.windows[min(index, script.windows.count - 1)]
            for _ in 0..<window.requests { counts.succeeded(5_000_000) }
            if window.errors > 0 { counts.failed("HTTP 500: broken", times: window.errors) }
            taken.withLock { $0 += 1 }
            return counts
        }
        var succeeded: Int { 1000 }
        var failure: HalcyonError? {
            script.dies.map { index >= $0 } == true
                ? HalcyonError(.unavailable, "the server does not answer any more") : nil
        }
        var isOver: Bool { script.over.map { index + 1 >= $0 } ?? false }
        func stop() { stopped.withLock { $0 = true } }
    }

    let driver: Driver
    init(_ script: Script) { driver = Driver(script) }

    var name: String { "script" }
    func describe() throws(HalcyonError) -> ModelDescription {
        ModelDescription(name: "m", version: "", maxBatchSize: 0, inputs: [], outputs: [])
    }
    func statistics() throws(HalcyonError) -> ServerCounts? {
        var counts = ServerCounts()
        counts.inferences = UInt64(driver.taken.withLock { $0 }) * 7
        return counts
    }
    func prepare(_ form: RequestForm) throws(HalcyonError) {}
    func start(_ load: Load, _ options: LoadOptions) throws(HalcyonError) -> any LoadDriver { driver }
    func close() {}
}

/// Time goes on only by waiting for it.
private final class WaitingClock: SchedulingClock {
    private let time = Locked<UInt64>(1)
    func now() -> UInt64 { time.withLock { $0 } }
    func park(_ parker: Parker, until deadline: UInt64?) { time.withLock { $0 = max($0, deadline ?? $0) } }
}

@Suite("A measurement, window by window")
struct BenchTests {
    private func run(_ script: ScriptedTarget.Script, load: Load = .concurrency(1), interruptedAfter: Int? = nil)
        -> Bench.Outcome
    {
        let target = ScriptedTarget(script)
        var bench = Bench(
            target, LoadOptions(), batch: 1, steadiness: Steadiness(most: 5),
            length: WindowLength(interval: 1_000_000_000),
            clock: WaitingClock())
        bench.isInterrupted = { interruptedAfter.map { target.driver.taken.withLock { $0 } >= $0 } ?? false }
        let outcome = bench.run([load])
        #expect(target.driver.stopped.withLock { $0 })
        return outcome
    }

    @Test("It ends when three windows agree, and shows them")
    func steady() throws {
        let outcome = run(.init(windows: [(50, 0), (100, 0), (101, 1), (99, 0)]))
        let result = try #require(outcome.results.first)
        #expect(outcome.fault == nil && result.steady == .yes)
        #expect(result.window.counts.requests == 300 && result.window.counts.errorCount == 1)
        #expect(result.window.seconds == 3)
        #expect(result.window.server?.inferences == 21)
    }

    @Test("It says where windows do not agree")
    func unsteady() throws {
        let outcome = run(.init(windows: [(50, 0), (100, 0), (50, 0), (100, 0), (50, 0), (100, 0)]))
        #expect(outcome.results.first?.steady == .no && outcome.fault == nil)
    }

    @Test("A server of which all requests fail ends it with what it says")
    func failing() {
        let outcome = run(.init(windows: [(0, 12)]))
        #expect(outcome.results.isEmpty)
        #expect(outcome.fault?.message == "all 12 requests have failed: HTTP 500: broken")
        #expect(run(.init(windows: [(0, 0)])).fault?.message.contains("no request was answered") == true)
    }

    @Test("A server that ends meanwhile leaves what was measured")
    func dying() {
        let outcome = run(.init(windows: [(100, 0), (150, 0), (90, 0)], dies: 2))
        #expect(outcome.fault?.message == "the server does not answer any more")
        #expect(outcome.results.first?.steady == .interrupted)
        #expect(outcome.results.first?.window.counts.requests == 340)
    }

    @Test("An interrupt shows what there is, and a recording is played once")
    func endings() {
        let interrupted = run(.init(windows: [(100, 0), (150, 0)]), interruptedAfter: 1)
        #expect(interrupted.wasInterrupted && interrupted.results.first?.window.counts.requests == 250)
        let played = run(.init(windows: [(10, 0), (90, 0)], over: 2), load: .recorded([0, 5]))
        #expect(played.results.first?.steady == .once && played.results.first?.window.counts.requests == 100)
    }
}
