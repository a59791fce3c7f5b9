import ModelConfigurations
import Scheduling

@testable import Explain
@testable import FlightRecords

/// Batches that take a fixed time and a time for each item.
struct LinearTiming: Simulation.Timing {
    var base: UInt64
    var perItem: UInt64
    /// What a worker takes to come.
    var wake: UInt64 = 0

    func time(_ size: Int) -> UInt64 { base + perItem * UInt64(size) }
    func duration(of requests: [Int], size: Int, start: UInt64) -> UInt64 { time(size) }
    func coming(at time: UInt64, head: Int?, isWoken: Bool) -> UInt64 { time + (isWoken ? wake : 0) }
}

/// The same, with times that vary by up to an eighth, and workers that come late.
struct JitteredTiming: Simulation.Timing {
    var base: UInt64
    var perItem: UInt64

    private func noise(_ seed: UInt64) -> UInt64 {
        var mixed = (seed &+ 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return (mixed ^ (mixed >> 31)) % 128
    }

    func duration(of requests: [Int], size: Int, start: UInt64) -> UInt64 {
        let time = base + perItem * UInt64(size)
        return time + time * noise(start) / 1024
    }

    func coming(at time: UInt64, head: Int?, isWoken: Bool) -> UInt64 {
        time + (isWoken ? 40_000 : 5_000) + noise(time) * (isWoken ? 500 : 50)
    }
}

/// Pseudo-random numbers that a seed repeats (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// The time to the next of independent events, so many a second, in nanoseconds.
    mutating func gap(perSecond rate: Double) -> UInt64 {
        let uniform = Double.random(in: 0x1p-53..<1, using: &self)
        var logarithm = 0.0
        // -ln(u), by halving: the tests have no mathematics library to themselves.
        var value = uniform
        while value < 0.5 {
            value *= 2
            logarithm += 0.693147180559945
        }
        let ratio = (1 - value) / (1 + value)
        var term = ratio
        var sum = 0.0
        for odd in stride(from: 1.0, through: 31, by: 2) {
            sum += term / odd
            term *= ratio * ratio
        }
        return UInt64((logarithm + 2 * sum) * 1e9 / rate)
    }
}

func settings(
    maxBatchSize: Int = 8, delay: UInt64 = 0, budget: UInt64 = 0, preferred: [Int] = []
) -> Recording.Settings {
    var settings = Recording.Settings()
    settings.maxBatchSize = maxBatchSize
    settings.isDynamic = true
    settings.maxQueueDelayMicroseconds = delay
    settings.latencyBudgetMicroseconds = budget
    settings.preferredBatchSizes = preferred
    return settings
}

func schedulingOptions(_ settings: Recording.Settings) -> SchedulingOptions {
    SchedulingOptions(settings.configuration(named: "m"))
}

/// A recording as a server makes it.
func record(
    _ settings: Recording.Settings, instances: Int, requests: [Simulation.Request], timing: any Simulation.Timing
) -> Recording {
    var simulation = Simulation(
        options: schedulingOptions(settings), instances: instances, requests: requests, timing: timing)
    var recording = Recording(model: "m", version: 1)
    recording.settings = settings
    recording.instanceCount = instances
    recording.instances = (0..<instances).map { "m_\($0)" }
    recording.batches = simulation.run().batches.sorted { $0.end < $1.end }.enumerated().map { index, batch in
        var record = RecordedBatch(
            number: UInt64(index + 1), instance: batch.instance, size: batch.size, reason: batch.reason,
            start: batch.start, end: batch.end,
            requests: batch.requests.map {
                RecordedRequest(
                    arrival: requests[$0].arrival, items: UInt32(requests[$0].items),
                    level: UInt32(requests[$0].level), shape: UInt32(requests[$0].shape))
            })
        record.isOnCaller = batch.isOnCaller
        return record
    }
    recording.count = UInt64(recording.batches.count)
    return recording
}

func poisson(_ count: Int, perSecond rate: Double, seed: UInt64) -> [Simulation.Request] {
    var generator = Seeded(seed)
    var now: UInt64 = 1_000_000
    return (0..<count).map { _ in
        now += generator.gap(perSecond: rate)
        return Simulation.Request(arrival: now)
    }
}
