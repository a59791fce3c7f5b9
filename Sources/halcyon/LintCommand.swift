internal import ArgumentParser
internal import Halcyon
internal import JSONText
internal import ModelConfiguration
internal import ModelRepository
internal import Tensors
internal import VisionBackends

/// `halcyon lint`: everything that is wrong with model repositories, without a server.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint", abstract: "Looks for everything that is wrong with model repositories.",
        discussion: """
            Reads every model's config.pbtxt and what lies beside it, and prints every complaint with file, line and \
            column. Exits with 1 where there is an error, and with --strict also with 2 where there is only a warning.
            """)

    @Argument(help: ArgumentHelp("Folders with models.", valueName: "folder"))
    var repositories: [String]

    @Flag(help: "Open each model with its engine, and compare it with its configuration.")
    var open = false

    @Option(help: ArgumentHelp("The folder with the engines' libraries.", valueName: "folder"))
    var backendDirectory: String?

    @Flag(help: "Models of one name may be in several folders, as with serve's --model-namespacing true.")
    var modelNamespacing = false

    @Option(
        name: .customLong("backend-config"),
        help: ArgumentHelp("A setting of an engine, as for serve.", valueName: "engine,setting=value"))
    var backendSettings: [String] = []

    @Flag(help: "Exit with 2 where there are warnings.")
    var strict = false

    @Option(help: "text or json.")
    var format = Format.text

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    func run() throws {
        var options = ServerOptions(repositoryPaths: repositories)
        options.backendDirectory = backendDirectory
        options.backends = VisionBackends.all
        options.allowsSameModelNames = modelNamespacing
        let findings: [RepositoryLint.Finding]
        do {
            try BackendSettings.apply(backendSettings, to: &options)
            findings = try RepositoryLint(try InferenceServer.inspector(options), opensModels: open).findings()
        } catch {
            StandardError.write("error: \(HalcyonError(wrapping: error).message)\n")
            throw ExitCode(1)
        }
        let errors = findings.count { $0.severity == .error }
        let warnings = findings.count - errors
        switch format {
        case .json: print(Self.json(findings).pretty)
        case .text:
            for finding in findings {
                // A complaint with its place says itself how bad it is.
                let isPlaced = finding.text.contains(": \(finding.severity.rawValue): ")
                print(isPlaced ? finding.text : "\(finding.model): \(finding.severity.rawValue): \(finding.text)")
            }
            print("\(errors) errors, \(warnings) warnings")
        }
        if errors > 0 { throw ExitCode(1) }
        if strict, warnings > 0 { throw ExitCode(2) }
    }

    private static func json(_ findings: [RepositoryLint.Finding]) -> JSONValue {
        .array(
            findings.map {
                ["model": .string($0.model), "severity": .string($0.severity.rawValue), "text": .string($0.text)]
            })
    }
}
