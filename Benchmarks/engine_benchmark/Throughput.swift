internal import ArgumentParser
internal import Halcyon
internal import JSONText

/// Images a second of a real model, from blocking callers.
struct Throughput: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Saturates a model from several threads.")

    @OptionGroup var model: ModelOptions

    @Option(help: "Blocking callers.")
    var threads = 8

    @Option(help: "How long to measure, in seconds.")
    var seconds = 5.0

    @Option(help: "Memory of inputs and outputs: system; model, where it reads inputs; pinned or gpu, on a GPU.")
    var memory = RequestMemory.system

    func run() async throws {
        let server = try model.server()
        try await server.loadModel(model.model)
        let request = try memory.applied(to: try model.request(server), server)
        let call: @Sendable () throws -> Void = { _ = try server.inferBlocking(request) }
        // The batch sizes to come are met before the time counts, as benchmark_app's first inference is.
        _ = try Callers.blocking(threads, seconds: min(2, seconds), call)
        let before = try server.statistics(model: model.model).models[0]
        let outcome = try Callers.blocking(threads, seconds: seconds, call)
        let after = try server.statistics(model: model.model).models[0]
        let result: JSONValue = [
            "inferences_per_second": .number(outcome.perSecond),
            "inference_count": .count(after.inferenceCount - before.inferenceCount),
            "execution_count": .count(after.executionCount - before.executionCount),
        ]
        print(result.compact)
        await server.shutdown()
    }
}
