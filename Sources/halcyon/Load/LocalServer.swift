internal import ArgumentParser
internal import EngineSearch
internal import Halcyon
internal import Tensors
internal import VisionBackends

/// Which models a command runs in its own process.
struct LocalServerFlags: ParsableArguments {
    @Option(
        name: [.customLong("model-repository"), .customLong("model-store")],
        help: ArgumentHelp(
            "A folder with models, to run them in this process; may be given several times.", valueName: "folder"))
    var repositories: [String] = []

    @Option(
        help: ArgumentHelp("The folder with the engines' libraries, as for serve.", valueName: "folder"))
    var backendDirectory: String?

    @Option(
        name: .customLong("backend-config"),
        help: ArgumentHelp("A setting of an engine, as for serve.", valueName: "engine,setting=value"))
    var backendSettings: [String] = []

    @Flag(help: ArgumentHelp(RepositoryHelp.followLinks))
    var followLinks = false

    /// - Throws: `invalidArgument` for settings that are none.
    func options() throws(HalcyonError) -> ServerOptions {
        var options = ServerOptions(repositoryPaths: try StoreRepositories.folders(of: repositories))
        options.engineSearch = .ofThisProcess(named: backendDirectory)
        options.backends = VisionBackends.all
        options.followsLinks = followLinks
        options.modelControlMode = .explicit
        try BackendSettings.apply(backendSettings, to: &options)
        return options
    }

    /// A server that has one model.
    ///
    /// - Throws: what the server says of the repository or the model.
    func start(_ model: String) async throws -> InferenceServer {
        var options = try options()
        options.startupModels = [model]
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        return server
    }
}
