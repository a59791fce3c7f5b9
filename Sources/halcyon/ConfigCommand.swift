internal import ArgumentParser
internal import EngineSearch
internal import Halcyon
internal import JSONText
internal import ModelConfigurations
internal import ModelRepository
internal import Tensors
internal import VisionBackends

/// `halcyon config`: a model's configuration as it takes effect.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Shows a model's configuration as it takes effect.",
        discussion: """
            What config.pbtxt leaves open is completed from the model and from the defaults, as it is when the model \
            is loaded. The text can be written into a config.pbtxt.

            With --file it shows what a file says and nothing else, in the one form or the other: so a configuration \
            in JSON becomes a config.pbtxt.
            """)

    @Argument(help: "The model's name.")
    var model: String?

    @Option(
        name: [.customLong("model-repository"), .customLong("model-store")],
        help: ArgumentHelp("A folder with models; may be given several times.", valueName: "folder"))
    var repositories: [String] = []

    @Option(help: ArgumentHelp("A configuration, as text or JSON, in place of a model.", valueName: "file"))
    var file: String?

    @Flag(help: "Say behind each line where its value comes from.")
    var explain = false

    @Option(help: "pbtxt or json.")
    var format = Format.pbtxt

    @Option(help: ArgumentHelp(RepositoryHelp.backendDirectory, valueName: "folder"))
    var backendDirectory: String?

    @Flag(help: ArgumentHelp(RepositoryHelp.allowModelBackends))
    var allowModelBackends = false

    @Flag(help: ArgumentHelp(RepositoryHelp.followLinks))
    var followLinks = false

    @Option(help: ArgumentHelp(RepositoryHelp.modelConfigName, valueName: "name"))
    var modelConfigName = ""

    @Flag(help: "Take configurations as they are written, without completing them from the models.")
    var disableAutoCompleteConfig = false

    @Option(
        name: .customLong("backend-config"),
        help: ArgumentHelp("A setting of an engine, as for serve.", valueName: "engine,setting=value"))
    var backendSettings: [String] = []

    enum Format: String, WordFlag {
        case pbtxt
        case json
    }

    func validate() throws {
        if file != nil {
            guard model == nil, repositories.isEmpty, !explain else {
                throw ValidationError("--file goes with neither a model, nor --model-repository, nor --explain")
            }
        } else if model == nil {
            throw ValidationError("name the model, or a file with --file")
        } else if repositories.isEmpty {
            throw ValidationError("name the folder with the models: --model-repository FOLDER")
        }
        if explain, format == .json { throw ValidationError("--explain is for --format pbtxt: JSON has no comments") }
    }

    func run() throws {
        if let file { return try show(file) }
        var options = ServerOptions()
        options.engineSearch = .ofThisProcess(named: backendDirectory)
        options.allowsModelBackends = allowModelBackends
        options.backends = VisionBackends.all
        options.followsLinks = followLinks
        options.modelConfigurationName = modelConfigName
        options.completesConfigurations = !disableAutoCompleteConfig
        do {
            options.repositoryPaths = try StoreRepositories.folders(of: repositories)
            try BackendSettings.apply(backendSettings, to: &options)
            let effective = try InferenceServer.inspector(options).effectiveConfiguration(model ?? "")
            print(text(effective))
        } catch {
            StandardError.write("error: \(HalcyonError(wrapping: error).message)\n")
            throw ExitCode(1)
        }
    }

    /// What one file says, whatever form it has.
    private func show(_ file: String) throws {
        do {
            let bytes = try ConfigurationFile.read(file)
            let isJSON = bytes.first { $0 > 0x20 } == UInt8(ascii: "{")
            let read = try ConfigurationReader.configuration(
                bytes, file: file, modelName: "", form: isJSON ? .json : .text)
            for warning in read.warnings { StandardError.write("\(warning)\n") }
            let lines = ConfigurationText.lines(of: read.configuration)
            print(
                format == .json
                    ? read.configuration.jsonValue.pretty : lines.map(\.text).joined(separator: "\n"))
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
            return "\(line.text)\(padding)  # \(Self.text(effective.origin(of: line.path), effective.file))"
        }.joined(separator: "\n")
    }

    private static func text(_ origin: EffectiveConfiguration.Origin, _ file: String) -> String {
        switch origin {
        case .written(let line, let column): "\(file):\(line):\(column)"
        case .model: "from the model"
        case .files: "from the names of files"
        case .standard: "default"
        case .standardOfBatching: "default, as the model batches"
        }
    }
}
