internal import ArgumentParser
internal import CPlatform
internal import ConversionCommand
internal import EngineInstallation
internal import EngineSearch
internal import Glibc
internal import Tensors

/// `halcyon engines`: what runs the models, installed and looked for.
struct EnginesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engines", abstract: "Installs the engines that run models, and says where they are.",
        subcommands: [EnginesInstallCommand.self, EnginesListCommand.self], defaultSubcommand: EnginesListCommand.self)
}

extension EngineInstallation.Engine: ExpressibleByArgument {}

/// `halcyon engines install`.
struct EnginesInstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Downloads an engine, checks it and puts it where it is found.",
        discussion: """
            The versions are pinned by their checksums. Python 3 and its pip do the download, with pip's own settings. \
            Without a network, download the wheel elsewhere and name it with --wheel.

            An engine goes to /usr/local/lib/halcyon/backends for root, and for others to \
            ~/.local/share/halcyon/backends. A server that runs goes on with what it has loaded.
            """)

    @Argument(help: "openvino or onnxruntime.")
    var engine: EngineInstallation.Engine

    @Option(help: ArgumentHelp("The folder that engines lie in, each in a folder of its own.", valueName: "folder"))
    var to: String?

    @Option(help: ArgumentHelp("The engine's wheel, downloaded already.", valueName: "file"))
    var wheel: String?

    @Flag(help: "Install it where it is installed already.")
    var again = false

    func run() throws {
        let variables = VariableList.read(halcyon_environment())
        guard let folder = to ?? EngineInstallation.folder(isRoot: geteuid() == 0, variables: variables) else {
            throw ValidationError("HOME is not set, so that there is no folder of yours: name one with --to")
        }
        let installation = EngineInstallation(engine, in: folder, wheel: wheel, again: again)
        // This process becomes the program: its progress, its interrupts and its status are this command's.
        let failure = (["python3"] + installation.arguments).withCStrings { words in
            guard let words else { return EINVAL }
            execvp("python3", words)
            return errno
        }
        let reason = String(cString: strerror(failure))
        StandardError.write("error: python3, which installs engines, can't be started: \(reason). Install Python 3.\n")
        throw ExitCode(1)
    }
}

/// `halcyon engines list`.
struct EnginesListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Says which engines a server would find, and where.")

    @Option(help: ArgumentHelp("The folder that engines lie in, as for serve.", valueName: "folder"))
    var backendDirectory: String?

    func run() {
        let search = EngineLocator.ofThisProcess(named: backendDirectory)
        for engine in EngineInstallation.Engine.allCases {
            let finding = search.look(for: engine.rawValue)
            if let taken = finding.taken {
                print("\(engine.rawValue): \(taken.folder), \(taken.place.origin.reason)")
            } else {
                print("\(engine.rawValue): not installed (halcyon engines install \(engine.rawValue))")
            }
            for refusal in finding.refusals { print("  \(refusal)") }
        }
    }
}
