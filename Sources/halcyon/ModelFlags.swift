internal import ArgumentParser

/// What is served, and how it comes to be loaded.
struct ModelFlags: ParsableArguments {
    enum ControlMode: String, ExpressibleByArgument, CaseIterable {
        case none
        case explicit
    }

    @Option(
        name: [.customLong("model-repository"), .customLong("model-store")],
        help: ArgumentHelp("A folder with models; may be given several times.", valueName: "folder"))
    var repositories: [String] = []

    @Option(help: "none loads all models at start; explicit loads --load-model, and what clients ask for.")
    var modelControlMode = ControlMode.none

    @Option(
        name: .customLong("load-model"),
        help: ArgumentHelp(
            "A model to load at start in explicit mode; * for all; may be given several times.", valueName: "name"))
    var startupModels: [String] = []

    @Option(help: "Whether the server is ready only if all its models are.")
    var strictReadiness = Switch(true)

    @Option(help: "Whether a model that fails to load at start ends the server.")
    var exitOnError = Switch(true)

    @Flag(help: "Take configurations as they are written, without completing them from the models.")
    var disableAutoCompleteConfig = false

    @Option(
        help: ArgumentHelp(
            "The older way to say --disable-auto-complete-config: true for as written.", valueName: "bool"))
    var strictModelConfig = Switch(false)

    @Option(help: ArgumentHelp("The folder with the engines' libraries.", valueName: "folder"))
    var backendDirectory: String?

    @Option(
        name: .customLong("backend-config"),
        help: ArgumentHelp(
            "A setting of an engine for all its models, openvino,CACHE_DIR=/var/cache for instance, or of all engines, default-max-batch-size=4.",
            valueName: "engine,setting=value"))
    var backendSettings: [String] = []

    @Option(help: "How long requests may take to finish when the server stops, in seconds.")
    var exitTimeoutSecs = 30

    @Option(help: ArgumentHelp("The name that the server answers with.", valueName: "name"))
    var id = "halcyon"
}
