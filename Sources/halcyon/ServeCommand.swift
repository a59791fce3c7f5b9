internal import ArgumentParser
internal import Tensors

/// `halcyon serve`: the server process. Flags carry Triton's names where it has the same thing.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves the models of one or more model repositories.",
        discussion: """
            By default the server listens on this machine's own addresses only: HTTP on port 8000, gRPC on 8001, \
            metrics on 8002. Give an address (0.0.0.0, for instance) to be reached from elsewhere, or unix:PATH for a \
            Unix domain socket.

            SIGTERM and SIGINT stop it: it is not ready at once, finishes the requests it has, and exits with 0. A \
            second signal ends it right away.
            """)

    @OptionGroup(title: "Models") var models: ModelFlags
    @OptionGroup(title: "HTTP") var http: HTTPFlags
    @OptionGroup(title: "gRPC") var grpc: GRPCFlags
    @OptionGroup(title: "Metrics") var metrics: MetricsFlags
    @OptionGroup(title: "Log") var logging: LogFlags
    @OptionGroup(title: "Tracing") var tracing: TraceFlags
    @OptionGroup(title: "Limits and access") var limits: LimitFlags

    func run() async throws {
        let process = try ServerProcess(self)
        do {
            try await process.run()
        } catch {
            StandardError.write("error: \(HalcyonError(wrapping: error).message)\n")
            throw ExitCode(1)
        }
    }
}
