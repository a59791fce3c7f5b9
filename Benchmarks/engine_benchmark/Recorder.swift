internal import ArgumentParser
internal import Halcyon
internal import JSONText

/// What keeping the last batches costs: processor time of a request with and without, in turns, of a model that does
/// nothing.
struct Recorder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures what keeping the last batches costs.")

    @Option(help: "Rounds; in each, both servers take their turn.")
    var rounds = 21

    @Option(help: "Seconds of a turn.")
    var seconds = 0.25

    func run() async throws {
        let repository = ScratchRepository()
        defer { repository.remove() }
        try repository.add("m", dimensions: "16", "dynamic_batching { }")
        let servers = try [0, 512].map { count in
            var options = ServerOptions(repositoryPaths: [repository.path])
            options.recordedBatches = count
            return try InferenceServer(options)
        }
        for server in servers { try await server.waitUntilReady() }
        let request = InferenceRequest(
            modelName: "m", inputs: [try Tensor(name: "IN", shape: [1, 16], [Float](repeating: 1, count: 16))])
        var rows: [JSONValue] = []
        for callers in [1, 8] {
            var times: [[Double]] = [[], []]
            for round in 0..<rounds {
                // Who comes first has nothing to do with it.
                for index in round % 2 == 0 ? [0, 1] : [1, 0] {
                    let server = servers[index]
                    let before = processorNanoseconds()
                    let outcome = try Callers.blocking(callers, seconds: seconds, burst: 64) {
                        _ = try server.inferBlocking(request)
                    }
                    times[index].append(Double(processorNanoseconds() - before) / Double(outcome.requests))
                }
            }
            let medians = times.map { $0.sorted()[$0.count / 2] }
            rows.append([
                "callers": .integer(Int64(callers)), "cpu_ns_without": .number(medians[0]),
                "cpu_ns_with": .number(medians[1]), "share": .number(medians[1] / medians[0] - 1),
            ])
        }
        print(JSONValue.array(rows).compact)
        for server in servers { await server.shutdown() }
    }
}
