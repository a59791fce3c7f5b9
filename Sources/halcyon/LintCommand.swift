internal import ArgumentParser
internal import EngineSearch
internal import Halcyon
internal import JSONText
internal import ModelRepository
internal import Tensors
internal import VisionBackends

/// `halcyon lint`: everything that is wrong with model repositories, without a server.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint", abstract: "Looks for everything that is wrong with model repositories.",
        discussion: """
            Reads every model's config.pbtxt and what lies beside it, loads each model whose engine is on this \
            machine as a server would, and prints every complaint, with file, line and column where it has one. A \
            note says what a server's log would, or what could not be checked and why. Models are loaded in a process \
            of their own: one that ends it is an error like others.

            Exits with 1 where there is an error, and with --strict also with 2 where there is only a warning.
            """)

    @Argument(
        help: ArgumentHelp("Folders with models, or where they are in a store, as for serve.", valueName: "folder"))
    var repositories: [String]

    @Flag(
        inversion: .prefixedNo,
        help: "Load each model with its engine, and compare it with its configuration, as a server would.")
    var open = true

    @Option(help: ArgumentHelp(RepositoryHelp.backendDirectory, valueName: "folder"))
    var backendDirectory: String?

    @Flag(help: ArgumentHelp(RepositoryHelp.allowModelBackends))
    var allowModelBackends = false

    @Flag(help: ArgumentHelp(RepositoryHelp.followLinks))
    var followLinks = false

    @Option(help: ArgumentHelp(RepositoryHelp.modelConfigName, valueName: "name"))
    var modelConfigName = ""

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

    @OptionGroup(visibility: .hidden) var worker: LintWorkerFlags

    enum Format: String, WordFlag {
        case text
        case json
    }

    func run() throws {
        let findings: [LintFinding]
        do {
            let loader = try InferenceServer.inspector(options())
            if worker.isWorker { return try LintWorker(loader, worker).run() }
            findings = open ? try LintSupervisor(loader).findings() : try unopened(loader)
        } catch {
            let failure = HalcyonError(wrapping: error)
            StandardError.write("error: \(failure.message)\n")
            throw ExitCode(failure.code == .cancelled ? 130 : 1)
        }
        let errors = findings.count { $0.severity == .error }
        let warnings = findings.count { $0.severity == .warning }
        switch format {
        case .json: print(Self.json(findings).pretty)
        case .text:
            for finding in findings {
                // A complaint with its place says itself how bad it is.
                let isPlaced = finding.text.contains(": \(finding.severity.rawValue): ")
                print(isPlaced ? finding.text : "\(finding.model): \(finding.severity.rawValue): \(finding.text)")
            }
            print("\(errors) errors, \(warnings) warnings\(open ? "" : "; no model was opened")")
        }
        if errors > 0 { throw ExitCode(1) }
        if strict, warnings > 0 { throw ExitCode(2) }
    }

    private func options() throws(HalcyonError) -> ServerOptions {
        var options = ServerOptions(
            repositoryPaths: try StoreRepositories.folders(of: repositories, isCopied: worker.isWorker))
        options.engineSearch = .ofThisProcess(named: backendDirectory)
        options.allowsModelBackends = allowModelBackends
        options.backends = VisionBackends.all
        options.followsLinks = followLinks
        options.modelConfigurationName = modelConfigName
        options.allowsSameModelNames = modelNamespacing
        try BackendSettings.apply(backendSettings, to: &options)
        return options
    }

    private func unopened(_ loader: ModelLoader) throws(HalcyonError) -> [LintFinding] {
        var options = RepositoryLint.Options()
        options.opensModels = false
        return try RepositoryLint(loader, options).findings()
    }

    private static func json(_ findings: [LintFinding]) -> JSONValue {
        .array(
            findings.map {
                ["model": .string($0.model), "severity": .string($0.severity.rawValue), "text": .string($0.text)]
            })
    }
}
