internal import ArgumentParser
internal import CAllocationCounter
internal import Halcyon
internal import JSONText

/// What the engine itself costs: a Swift model that does nothing, called in every way.
struct Overhead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measures requests to a model that does nothing.")

    @Option(help: "How long to measure each way, in seconds.")
    var seconds = 2.0

    func run() async throws {
        let repository = ScratchRepository()
        defer { repository.remove() }
        try repository.add("alone", dimensions: "16", "")
        try repository.add("batched", dimensions: "16", "dynamic_batching { }")
        let server = try InferenceServer(ServerOptions(repositoryPaths: [repository.path]))
        try await server.waitUntilReady()
        var rows: [JSONValue] = []
        for (model, callers) in [("alone", 1), ("batched", 1), ("batched", 8)] {
            let input = try Tensor(name: "IN", shape: [1, 16], [Float](repeating: 1, count: 16))
            let request = InferenceRequest(modelName: model, inputs: [input])
            let suffix = "\(callers) \(callers == 1 ? "caller" : "callers")" + (model == "batched" ? ", batching" : "")
            var before = halcyon_allocation_count()
            let blocking = try Callers.blocking(callers, seconds: seconds, burst: 64) {
                _ = try server.inferBlocking(request)
            }
            rows.append(row("blocking, \(suffix)", blocking, callers: callers, allocationsBefore: before))
            before = halcyon_allocation_count()
            let suspending = try await Callers.suspending(callers, seconds: seconds, burst: 64) {
                _ = try await server.infer(request)
            }
            rows.append(row("async, \(suffix)", suspending, callers: callers, allocationsBefore: before))
        }
        let result: JSONValue = ["wake_and_answer_ns": .number(WakeAndAnswer.nanoseconds()), "rows": .array(rows)]
        print(result.compact)
        await server.shutdown()
    }

    private func row(
        _ name: String, _ outcome: Callers.Outcome, callers: Int, allocationsBefore: UInt64
    ) -> JSONValue {
        let allocations = halcyon_allocation_count() - allocationsBefore
        return [
            "name": .string(name),
            "nanoseconds_per_request": .number(1e9 * Double(callers) / outcome.perSecond),
            "requests_per_second": .number(outcome.perSecond),
            "allocations_per_request": .number(Double(allocations) / Double(outcome.requests)),
        ]
    }
}
