internal import ArgumentParser

@main
struct HalcyonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halcyon", abstract: "An inference server for the edge.", version: "0.1.0",
        subcommands: [ServeCommand.self, LintCommand.self, ConfigCommand.self, ConvertCommand.self])

    static func main() async {
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            await main(try FlagAbbreviations(of: Self.self).expand(arguments))
        } catch {
            exit(withError: error)
        }
    }
}
