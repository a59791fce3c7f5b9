internal import ArgumentParser
internal import Halcyon
internal import VisionBackends

@main
struct HalcyonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halcyon", abstract: "An inference server for the edge.", version: "0.1.0",
        subcommands: [
            ServeCommand.self, BenchCommand.self, TuneCommand.self, ExplainCommand.self, LintCommand.self,
            ConfigCommand.self, ConvertCommand.self, EnginesCommand.self, HealthCommand.self,
        ])

    static func main() async {
        InferenceServer.runWorkerIfAsked(backends: VisionBackends.all)
        do {
            let arguments = ProgramName.arguments(of: CommandLine.arguments)
            await main(try FlagAbbreviations(of: Self.self).expand(arguments))
        } catch {
            exit(withError: error)
        }
    }
}
