import Scheduling
import Testing

@testable import Explain

/// Bursts of arrivals at a model with a latency budget, against every fixed delay.
@Suite("Latency budgets under load that changes")
struct LatencyBudgetTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var instances: Int
        var base: UInt64
        var perItem: UInt64
        /// Nanoseconds.
        var budget: UInt64
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "batches cost little more", instances: 1, base: 9_000_000, perItem: 300_000, budget: 50_000_000),
        Case(name: "the same, three instances", instances: 3, base: 9_000_000, perItem: 300_000, budget: 50_000_000),
        Case(name: "batches bring nothing", instances: 1, base: 0, perItem: 5_000_000, budget: 60_000_000),
        Case(name: "the same, two instances", instances: 2, base: 0, perItem: 5_000_000, budget: 60_000_000),
        Case(name: "in between", instances: 2, base: 6_000_000, perItem: 1_500_000, budget: 50_000_000),
        Case(name: "a budget with little room", instances: 1, base: 9_000_000, perItem: 300_000, budget: 26_000_000),
    ]

    static let loads = [0.2, 0.6, 1.0, 0.4, 1.2, 0.3, 0.8, 0.2]
    static let phase: UInt64 = 2_000_000_000
    static let delays: [UInt64] = [0, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000]

    struct Figures {
        /// Requests that came in each phase a second, until the phase was over and the last of them had its answer.
        var throughput: [Double]
        /// The 99th percentile of the latencies of those that came in each phase.
        var p99: [UInt64]
    }

    private func requests(_ timing: LinearTiming, instances: Int) -> [Simulation.Request] {
        let capacity = 8e9 / Double(timing.time(8)) * Double(instances)
        var generator = Seeded(11)
        var requests: [Simulation.Request] = []
        for (index, load) in Self.loads.enumerated() {
            var now = UInt64(index) * Self.phase
            while true {
                now += generator.gap(perSecond: capacity * load)
                guard now < UInt64(index + 1) * Self.phase else { break }
                requests.append(Simulation.Request(arrival: now))
            }
        }
        return requests
    }

    private func figures(
        _ test: Case, _ requests: [Simulation.Request], delay: UInt64, budget: UInt64
    ) -> (figures: Figures, result: Simulation.Result) {
        let timing = LinearTiming(base: test.base, perItem: test.perItem, wake: 50_000)
        var simulation = Simulation(
            options: schedulingOptions(settings(delay: delay, budget: budget / 1000)), instances: test.instances,
            requests: requests, timing: timing)
        let result = simulation.run()
        var latencies = Self.loads.map { _ in [UInt64]() }
        var ends = Self.loads.indices.map { UInt64($0 + 1) * Self.phase }
        for batch in result.batches {
            for member in batch.requests {
                let arrival = requests[member].arrival
                let phase = min(Self.loads.count - 1, Int(arrival / Self.phase))
                latencies[phase].append(batch.end - arrival)
                ends[phase] = max(ends[phase], batch.end)
            }
        }
        let throughput = Self.loads.indices.map { phase in
            Double(latencies[phase].count) * 1e9 / Double(ends[phase] - UInt64(phase) * Self.phase)
        }
        let p99: [UInt64] = latencies.map { values in
            let sorted = values.sorted()
            return sorted.isEmpty ? 0 : sorted[sorted.count * 99 / 100]
        }
        return (Figures(throughput: throughput, p99: p99), result)
    }

    @Test(
        "Each phase gets as much done as with the best fixed delay, and keeps the budget where any does",
        arguments: cases)
    func bursts(test: Case) {
        let requests = requests(LinearTiming(base: test.base, perItem: test.perItem), instances: test.instances)
        let fixed = Self.delays.map { figures(test, requests, delay: $0, budget: 0).figures }
        let budgeted = figures(test, requests, delay: 0, budget: test.budget)
        #expect(budgeted.result.batches.flatMap(\.requests).sorted() == Array(requests.indices))
        for phase in Self.loads.indices {
            let best = fixed.map { $0.throughput[phase] }.max() ?? 0
            #expect(
                budgeted.figures.throughput[phase] >= 0.95 * best,
                "phase \(phase): \(budgeted.figures.throughput[phase]) a second, \(best) with the best delay")
            let keepsIt = fixed.contains { $0.p99[phase] <= test.budget }
            #expect(
                !keepsIt || budgeted.figures.p99[phase] <= test.budget,
                "phase \(phase): p99 \(budgeted.figures.p99[phase]), \(fixed.map { $0.p99[phase] }) with fixed delays")
        }
    }

    @Test("A burst is split so that its beginning is in time, where its end then is too")
    func split() {
        // Four bursts of eight; a batch of eight takes 66 ms, one of four 34 ms.
        let test = Case(name: "", instances: 2, base: 2_000_000, perItem: 8_000_000, budget: 50_000_000)
        var requests: [Simulation.Request] = []
        for size in [1, 1, 2, 2, 3, 3, 4, 4, 8, 8, 8, 8] {
            let start = (requests.last?.arrival ?? 0) + 500_000_000
            for index in 0..<size { requests.append(Simulation.Request(arrival: start + UInt64(index) * 1_000)) }
        }
        let result = figures(test, requests, delay: 0, budget: test.budget).result
        let last = result.batches.filter { $0.start > requests[requests.count - 8].arrival - 1 }
        #expect(last.map(\.size).max() ?? 0 <= 5, "\(last.map(\.size))")
        #expect(result.batches.contains { $0.reason == .latencyBudget })
        let areInTime = last.allSatisfy { batch in
            batch.requests.allSatisfy { batch.end - requests[$0].arrival <= test.budget }
        }
        #expect(areInTime)
        // Without a budget the second instance finds nothing left.
        #expect(figures(test, requests, delay: 0, budget: 0).result.batches.contains { $0.size >= 7 })
    }

    @Test("Never beyond max_queue_delay, and sooner where the budget needs it")
    func delay() {
        // One request a second: each waits for its delay alone.
        let requests = (0..<20).map { Simulation.Request(arrival: UInt64($0) * 1_000_000_000) }
        let slow = Case(name: "", instances: 1, base: 40_000_000, perItem: 0, budget: 50_000_000)
        let held = figures(slow, requests, delay: 30_000, budget: slow.budget).result.batches
        #expect(held.last?.reason == .latencyBudget)
        #expect((held.last?.start ?? 0) - (requests.last?.arrival ?? 0) <= 10_100_000)
        let quick = Case(name: "", instances: 1, base: 1_000_000, perItem: 0, budget: 50_000_000)
        let delayed = figures(quick, requests, delay: 5_000, budget: quick.budget).result.batches
        #expect(delayed.last?.reason == .delayExpired)
        #expect((delayed.last?.start ?? 0) - (requests.last?.arrival ?? 0) <= 5_100_000)
    }

    @Test("A free instance that keeps up holds nothing back")
    func lightLoad() {
        let requests = (0..<50).map { Simulation.Request(arrival: UInt64($0) * 100_000_000) }
        let test = Case(name: "", instances: 1, base: 9_000_000, perItem: 300_000, budget: 50_000_000)
        let batches = figures(test, requests, delay: 0, budget: test.budget).result.batches
        #expect(batches.allSatisfy { $0.size == 1 && $0.reason == .instanceFree })
    }
}
