internal import ArgumentParser
internal import Foundation
internal import Halcyon
internal import JSONText
internal import Synchronization

/// What a process of its own costs a batch: a model that copies its input, in this process and in a worker, in turns.
struct IsolationOverhead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "isolation", abstract: "Measures what a batch costs more in a process of its own.")

    @Option(help: "Rounds; in each, both models take their turn.")
    var rounds = 11

    @Option(help: "Seconds of a turn.")
    var seconds = 0.25

    /// Values of a request: few go with the message, many lie in shared memory.
    private static let sizes = [16, 1 << 16]

    func run() async throws {
        let repository = ScratchRepository()
        defer { repository.remove() }
        for name in ["none", "process"] {
            let isolation = "parameters { key: \"isolation\" value { string_value: \"\(name)\" } }"
            try repository.add(name, dimensions: "-1", "dynamic_batching { }\n\(isolation)")
        }
        let server = try InferenceServer(ServerOptions(repositoryPaths: [repository.path]))
        try await server.waitUntilReady()
        var rows: [JSONValue] = []
        for count in Self.sizes {
            for callers in [1, 8] { rows.append(try row(server, values: count, callers: callers)) }
        }
        print(JSONValue.array(rows).compact)
        await server.shutdown()
    }

    /// What was seen in the turns of one model.
    private struct Seen {
        var latencies: [Double] = []
        var requests = 0.0
        var executions = 0.0
        var seconds = 0.0
    }

    private func row(_ server: InferenceServer, values: Int, callers: Int) throws -> JSONValue {
        var seen = [Seen(), Seen()]
        var differences: [Double] = []
        let names = ["none", "process"]
        for round in 0..<rounds {
            var medians = [0.0, 0.0]
            for index in round % 2 == 0 ? [0, 1] : [1, 0] {
                let input = try Tensor(name: "IN", shape: [1, values], [Float](repeating: 1, count: values))
                let request = InferenceRequest(modelName: names[index], inputs: [input])
                let before = try server.statistics(model: names[index]).models[0]
                let latencies = Mutex<[Double]>([])
                let outcome = try Callers.blocking(callers, seconds: seconds) {
                    let start = Self.now()
                    _ = try server.inferBlocking(request)
                    let took = Double(Self.now() - start)
                    latencies.withLock { $0.append(took) }
                }
                let after = try server.statistics(model: names[index]).models[0]
                let sorted = latencies.withLock { $0.sorted() }
                medians[index] = sorted[sorted.count / 2]
                seen[index].latencies.append(medians[index])
                seen[index].requests += Double(outcome.requests)
                seen[index].seconds += outcome.seconds
                seen[index].executions += Double(after.executionCount - before.executionCount)
            }
            differences.append(medians[1] - medians[0])
        }
        let batches = seen.map { $0.requests / $0.executions }
        return [
            "bytes": .integer(Int64(values * 4)), "callers": .integer(Int64(callers)),
            "in_process_ns": .number(Self.median(seen[0].latencies)),
            "isolated_ns": .number(Self.median(seen[1].latencies)),
            "more_ns": .number(Self.median(differences)),
            "least_more_ns": .number(differences.min() ?? 0),
            "under_60_us": .integer(Int64(differences.count { $0 < 60_000 })), "rounds": .integer(Int64(rounds)),
            "in_process_per_second": .number(seen[0].requests / seen[0].seconds),
            "isolated_per_second": .number(seen[1].requests / seen[1].seconds),
            "in_process_batch": .number(batches[0]), "isolated_batch": .number(batches[1]),
        ]
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// Nanoseconds of the system's clock.
    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
