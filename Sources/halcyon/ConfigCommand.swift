internal import ArgumentParser
internal import Halcyon
internal import JSONText
internal import ModelConfiguration
internal import ModelRepository
internal import Tensors
internal import VisionBackends

/// `halcyon config`: a model's configuration as it takes effect.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Shows a model's configuration as it takes effect.",
        discussion: """
            What config.pbtxt leaves open is completed from the model and from the defaults, as it is when the model is \
            loaded. The text can be written into a config.pbtxt.
            """)

    @Argument(help: "The model's name.")
    var model: String

    @Option(
        name: [.customLong("model-repository"), .customLong("model-store")],
        help: ArgumentHelp("A folder with models; may be given several times.", valueName: "folder"))
    var repositories: [String]

    @Flag(help: "Say behind each line where its value comes from.")
    var explain = false

    @Option(help: "pbtxt or json.")
    var format = Format.pbtxt

    @Option(help: ArgumentHelp("The folder with the engines' libraries.", valueName: "folder"))
    var backendDirectory: String?

    @Flag(help: "Take configurations as they are written, without completing them from the models.")
    var disableAutoCompleteConfig = false

    @Option(
        name: .customLong("backend-config"),
        help: ArgumentHelp("A setting of an engine, as for serve.", valueName: "engine,setting=value"))
    var backendSettings: [String] = []

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case pbtxt
        case json
    }

    func validate() throws {
        if explain, format == .json { throw ValidationError("--explain is for --format pbtxt: JSON has no comments") }
    }

    func run() throws {
        var options = ServerOptions(repositoryPaths: repositories)
        options.backendDirectory = backendDirectory
        options.backends = VisionBackends.all
        options.completesConfigurations = !disableAutoCompleteConfig
        do {
            try BackendSettings.apply(backendSettings, to: &options)
            let effective = try InferenceServer.inspector(options).effectiveConfiguration(model)
            print(text(effective))
        } catch {
            StandardError.write("error: \(HalcyonError(wrapping: error).message)\n")
            throw ExitCode(1)
        }
    }

    private func text(_ effective: EffectiveConfiguration) -> String {
        if format == .json { return effective.configuration.jsonValue.pretty }
        let lines = ConfigurationText.lines(of: effective.configuration)
        guard explain else { return lines.map(\.text).joined(separator: "\n") }
        let width = lines.map(\.text.count).max() ?? 0
        return lines.map { line in
            guard !line.path.isEmpty else { return line.text }
            let padding = String(repeating: " ", count: width - line.text.count)
            return "\(line.text)\(padding)  # \(Self.text(effective.origin(of: line.path)))"
        }.joined(separator: "\n")
    }

    private static func text(_ origin: EffectiveConfiguration.Origin) -> String {
        switch origin {
        case .written(let line, let column): "config.pbtxt:\(line):\(column)"
        case .model: "from the model"
        case .files: "from the names of files"
        case .standard: "default"
        case .standardOfBatching: "default, as the model batches"
        }
    }
}
