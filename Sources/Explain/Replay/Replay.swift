package import FlightRecords
internal import ModelConfigurations
package import Scheduling
package import Tensors

/// Runs a recording's arrivals through the scheduler again, with the recording's settings or others.
package struct Replay {
    /// What came of a run, or of the recording itself. Times are nanoseconds.
    package struct Outcome: Hashable, Sendable {
        package var batchCount = 0
        package var requestCount = 0
        package var meanSize = 0.0
        package var largestSize = 0
        /// From a request's arrival to its answer.
        package var median: UInt64 = 0
        package var p99: UInt64 = 0
        /// Requests a second, from the first arrival to the last answer.
        package var throughput = 0.0
        package var reasons: [BatchReason: Int] = [:]
        /// Batches that the recording has just the same, as a share of the recording's.
        package var agreement = 0.0
    }

    private let recording: Recording
    private let requests: [Simulation.Request]
    private let batches: [(batch: RecordedBatch, members: [Int])]

    /// - Throws: `invalidArgument` where there is nothing to run again, or the model's requests are scheduled
    /// otherwise.
    package init(_ recording: Recording) throws(HalcyonError) {
        let model = recording.model
        if let other = recording.settings.otherScheduler {
            throw HalcyonError(
                .invalidArgument,
                other == "ensemble"
                    ? "model '\(model)' is an ensemble, which forms no batches: record one of its steps, "
                        + recording.steps.map { "'\($0)'" }.joined(separator: " or ")
                    : "model '\(model)' is scheduled by its "
                        + "\(other == "sequence" ? "sequences" : "streams of responses"); "
                        + "only models of the default scheduler and of dynamic_batching can be replayed")
        }
        guard !recording.batches.isEmpty else {
            throw HalcyonError(
                .invalidArgument,
                "the recording of model '\(model)' has no batches: send the model requests before it is saved")
        }
        self.recording = recording
        // Two requests that came in the same nanosecond keep the order in which they were taken.
        var all: [(request: Simulation.Request, batch: Int, place: Int)] = []
        for (index, batch) in recording.batches.enumerated() {
            for (place, request) in batch.requests.enumerated() {
                all.append(
                    (
                        Simulation.Request(
                            arrival: request.arrival, items: max(1, Int(request.items)), level: Int(request.level),
                            shape: Int(request.shape), mayRunOnCaller: batch.isOnCaller), index, place
                    ))
            }
        }
        all.sort { ($0.request.arrival, $0.batch, $0.place) < ($1.request.arrival, $1.batch, $1.place) }
        requests = all.map(\.request)
        var members = Array(repeating: [Int](), count: recording.batches.count)
        for (position, element) in all.enumerated() { members[element.batch].append(position) }
        batches = zip(recording.batches, members).map { ($0, $1) }
    }

    /// What the recording itself shows.
    package var recorded: Outcome {
        outcome(
            recording.batches.enumerated().map { index, batch in
                Simulation.Executed(
                    instance: batch.instance, size: batch.size, reason: batch.reason, isOnCaller: batch.isOnCaller,
                    start: batch.start, end: batch.end, requests: batches[index].members)
            })
    }

    /// Runs the arrivals with other settings.
    package func run(_ settings: Recording.Settings, instances: Int) -> (outcome: Outcome, recording: Recording) {
        let options = SchedulingOptions(settings.configuration(named: recording.model))
        var simulation = Simulation(
            options: options, instances: instances, requests: requests, timing: RecordedTiming(batches))
        let executed = simulation.run().batches
        var predicted = Recording(model: recording.model, version: recording.version)
        predicted.settings = settings
        predicted.instanceCount = instances
        predicted.instances = recording.instances
        predicted.batches = executed.sorted { $0.end < $1.end }.enumerated().map { index, batch in
            var record = RecordedBatch(
                number: UInt64(index + 1), instance: batch.instance, size: batch.size, reason: batch.reason,
                start: batch.start, end: batch.end,
                requests: batch.requests.map { member in
                    let request = requests[member]
                    return RecordedRequest(
                        arrival: request.arrival, items: UInt32(clamping: request.items),
                        level: UInt32(clamping: request.level), shape: UInt32(clamping: request.shape))
                })
            record.isOnCaller = batch.isOnCaller
            return record
        }
        return (outcome(executed), predicted)
    }

    private func outcome(_ executed: [Simulation.Executed]) -> Outcome {
        var outcome = Outcome()
        outcome.batchCount = executed.count
        var latencies: [UInt64] = []
        for batch in executed {
            outcome.reasons[batch.reason, default: 0] += 1
            outcome.largestSize = max(outcome.largestSize, batch.size)
            for member in batch.requests {
                let arrival = requests[member].arrival
                latencies.append(batch.end > arrival ? batch.end - arrival : 0)
            }
        }
        latencies.sort()
        outcome.requestCount = latencies.count
        if !executed.isEmpty {
            outcome.meanSize = Double(executed.reduce(0) { $0 + $1.size }) / Double(executed.count)
        }
        if !latencies.isEmpty {
            outcome.median = latencies[(latencies.count - 1) / 2]
            outcome.p99 = latencies[min(latencies.count - 1, latencies.count * 99 / 100)]
        }
        let first = requests.first?.arrival ?? 0
        let last = executed.map(\.end).max() ?? first
        if last > first { outcome.throughput = Double(latencies.count) * 1e9 / Double(last - first) }
        let same = Set(executed.map(\.requests)).intersection(batches.map(\.members)).count
        outcome.agreement = Double(same) / Double(max(1, batches.count))
        return outcome
    }
}
