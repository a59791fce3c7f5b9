import Scheduling
import Tensors
import Testing

@testable import Explain
@testable import FlightRecords

@Suite("Replays")
struct ReplayTests {
    @Test(
        "Under its own settings a recording's batches are made again, whatever the jitter",
        arguments: [(1, 120.0, 0), (3, 300.0, 0), (3, 600.0, 0), (2, 300.0, 5000), (1, 900.0, 2000)]
            as [(Int, Double, UInt64)])
    func unchanged(instances: Int, rate: Double, delay: UInt64) throws {
        let settings = settings(delay: delay)
        let recording = record(
            settings, instances: instances, requests: poisson(2000, perSecond: rate, seed: 7),
            timing: JitteredTiming(base: 6_000_000, perItem: 1_000_000))
        let outcome = try Replay(recording).run(settings, instances: instances).outcome
        #expect(outcome.agreement >= 0.95)
        #expect(outcome.requestCount == 2000)
        #expect(outcome.batchCount >= recording.batches.count * 95 / 100)
    }

    @Test("A recording that begins in the middle is made again as well")
    func middle() throws {
        let settings = settings()
        var recording = record(
            settings, instances: 3, requests: poisson(4000, perSecond: 500, seed: 3),
            timing: JitteredTiming(base: 9_000_000, perItem: 2_000_000))
        recording.batches = Array(recording.batches.suffix(512))
        #expect(try Replay(recording).run(settings, instances: 3).outcome.agreement >= 0.95)
    }

    @Test("Batches that callers ran are run by callers again")
    func callers() throws {
        let settings = settings()
        let requests = poisson(1000, perSecond: 2000, seed: 5).map { request in
            var request = request
            request.mayRunOnCaller = true
            return request
        }
        let recording = record(
            settings, instances: 2, requests: requests, timing: JitteredTiming(base: 20_000, perItem: 1_000))
        let outcome = try Replay(recording).run(settings, instances: 2).outcome
        let ranOnCallers = recording.batches.contains { $0.isOnCaller }
        #expect(ranOnCallers)
        #expect(outcome.agreement >= 0.95)
    }

    @Test("Other settings make other batches")
    func changed() throws {
        var settings = settings()
        // Each half a millisecond after the one before, and an instance that is quick: nothing comes together by
        // itself.
        let requests = (0..<400).map { Simulation.Request(arrival: UInt64($0) * 500_000) }
        let recording = record(
            settings, instances: 1, requests: requests, timing: LinearTiming(base: 200_000, perItem: 10_000))
        let replay = try Replay(recording)
        #expect(replay.recorded.meanSize == 1)
        var instances = 1
        try SettingChange("dynamic_batching.max_queue_delay_microseconds=1600").apply(
            to: &settings, instances: &instances)
        let changed = replay.run(settings, instances: instances)
        #expect(changed.outcome.largestSize == 4)
        #expect(changed.outcome.batchCount == 100)
        #expect(changed.outcome.reasons == [.delayExpired: 100])
        #expect(changed.outcome.p99 > replay.recorded.p99)
        #expect(changed.recording.batches.allSatisfy { $0.size == 4 })
    }

    @Test("More instances take what waited")
    func moreInstances() throws {
        var settings = settings()
        settings.isDynamic = false
        let requests = (0..<100).map { Simulation.Request(arrival: UInt64($0) * 1_000_000) }
        let recording = record(
            settings, instances: 1, requests: requests, timing: LinearTiming(base: 2_000_000, perItem: 0))
        let replay = try Replay(recording)
        let changed = replay.run(settings, instances: 2).outcome
        #expect(replay.recorded.throughput < 510)
        #expect(changed.throughput > 950)
    }

    @Test("What can't be replayed says why")
    func refused() {
        var recording = Recording(model: "m", version: 1)
        let empty = #expect(throws: HalcyonError.self) { _ = try Replay(recording) }
        #expect(empty?.message.contains("has no batches") == true)
        recording.settings.otherScheduler = "ensemble"
        recording.steps = ["a", "b"]
        let ensemble = #expect(throws: HalcyonError.self) { _ = try Replay(recording) }
        #expect(ensemble?.message.contains("record one of its steps, 'a' or 'b'") == true)
        recording.settings.otherScheduler = "sequence"
        #expect(throws: HalcyonError.self) { _ = try Replay(recording) }
    }

    @Test(
        "Settings that do not exist, or not so, are named",
        arguments: [
            ("delay=3", "with a name out of max_batch_size"), ("max_batch_size", "NAME=VALUE"),
            ("instance_group.count=0", "a number from 1 to 1024, got '0'"), ("dynamic_batching=maybe", "true or false"),
            ("dynamic_batching.preferred_batch_size=4,x", "sizes from 1"),
            ("dynamic_batching.preferred_batch_size=16", "preferred_batch_size 16 is over max_batch_size 8"),
        ])
    func wrongSettings(text: String, complaint: String) {
        var settings = settings()
        var instances = 1
        let error = #expect(throws: HalcyonError.self) {
            try SettingChange(text).apply(to: &settings, instances: &instances)
        }
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
    }
}
