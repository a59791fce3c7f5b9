internal import ArgumentParser
internal import Foundation
internal import Halcyon

/// Prints `ready` when the model is, and `first_result` when its first inference has ended; whoever started the process
/// looks at the time.
struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Loads a model and runs it once.")

    @OptionGroup var model: ModelOptions

    @Option(help: "A folder in which the engine keeps compiled models.")
    var cache: String?

    func run() async throws {
        let server = try model.server(cache: cache)
        try await server.loadModel(model.model)
        print("ready")
        fflush(nil)
        _ = try await server.infer(try model.request(server))
        print("first_result")
        fflush(nil)
        await server.shutdown()
    }
}
