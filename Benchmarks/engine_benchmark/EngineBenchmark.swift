internal import ArgumentParser
internal import Halcyon

/// What `Benchmarks/run` drives: each sub-command measures one thing and prints it.
@main
struct EngineBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine_benchmark", abstract: "Measures the engine.",
        subcommands: [
            Throughput.self, Overhead.self, Memory.self, Start.self, Ensembles.self, Recorder.self,
            IsolationOverhead.self, Waiting.self,
        ])

    static func main() async {
        InferenceServer.runWorkerIfAsked()
        await main(nil)
    }
}
