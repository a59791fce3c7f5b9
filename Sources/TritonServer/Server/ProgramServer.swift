internal import Halcyon
internal import Logging
internal import ModelRepository
internal import Tensors
internal import Threads
internal import TritonInterface
internal import VisionBackends

/// A server that a C program has started, and that it stops.
final class ProgramServer: ServerProgram {
    let server: InferenceServer
    let settings: ServerSettings
    private let metrics: ProgramMetrics?

    private init(_ server: InferenceServer, _ settings: ServerSettings) throws(HalcyonError) {
        self.server = server
        self.settings = settings
        metrics = settings.metrics.isOn ? try ProgramMetrics(settings.metrics) : nil
    }

    var callsOnCallersThread: Bool { settings.callsOnCallersThread }

    /// Starts a server, and waits for the models that are loaded at start.
    ///
    /// - Returns: its handle.
    /// - Throws: what is wrong with the settings; which models failed and why, where that is to end the server.
    static func start(_ settings: ServerSettings) throws(HalcyonError) -> OpaquePointer {
        guard !settings.engine.repositoryPaths.isEmpty else {
            throw HalcyonError(
                .invalidArgument,
                "no model repository was given: TRITONSERVER_ServerOptionsSetModelRepositoryPath gives one")
        }
        let log = ProgramLog.shared.logger
        InterfaceLog.set(log)
        var options = settings.engine
        options.log = log
        options.backends = VisionBackends.all
        options.requiresRepositories = settings.exitsOnError
        // The program says when to look.
        options.repositoryPollInterval = .seconds(1_000_000_000)
        LibraryPlace.find(for: &options, named: settings.backendDirectory)
        let server = try InferenceServer(options)
        let failures = server.waitForModels()
        if settings.exitsOnError, let failure = failures {
            server.shutdownBlocking()
            throw HalcyonError(.internal, "failed to load all models: \(failure.message)")
        }
        if let failure = failures { log.error("models failed to load", metadata: ["reason": "\(failure.message)"]) }
        return try Handles.give(ServerObject(server, program: try ProgramServer(server, settings)))
    }

    /// - Throws: `unavailable` inside a callback of the server's: it would wait for the callback, and the callback for
    ///   it.
    func checkThread(_ deed: String) throws(HalcyonError) {
        guard !Callback.isActive else {
            throw HalcyonError(
                .unavailable,
                "the server can't be \(deed) inside one of its callbacks, for whose end it would wait: do it on "
                    + "another thread")
        }
    }

    /// Stops it, or waits until somebody else has.
    ///
    /// - Throws: `internal` where requests had to be dropped when the exit timeout was over.
    func stop() throws(HalcyonError) {
        let report = server.shutdownBlocking()
        guard report.droppedRequests.isEmpty else {
            let count = report.droppedRequests.values.reduce(0, +)
            throw HalcyonError(
                .internal,
                "Exit timeout expired. Exiting immediately. \(count) requests got an error in place of an "
                    + "answer.")
        }
    }

    var metricsText: String { metrics?.text(of: server) ?? "" }

    // MARK: Repositories

    /// Looks at the repositories: what has changed since the last time is loaded and unloaded.
    func poll() throws(HalcyonError) {
        guard settings.engine.modelControlMode == .poll else {
            throw HalcyonError(
                .unavailable, "polling is disabled: TRITONSERVER_ServerOptionsSetModelControlMode enables it")
        }
        // What looks the same twice is complete.
        server.pollRepositories()
        server.pollRepositories()
    }

    private func checkAllowed(_ deed: String) throws(HalcyonError) {
        guard settings.engine.modelControlMode == .explicit else {
            throw HalcyonError(
                .unsupported, "repository \(deed) is not allowed if model control mode is not EXPLICIT")
        }
    }

    /// - Parameter folders: of the models that have another name than theirs, by the models' names.
    func register(_ path: String, _ folders: [String: String]) throws(HalcyonError) {
        try checkAllowed("registration")
        try server.registerRepository(path, folders: folders)
    }

    func unregister(_ path: String) throws(HalcyonError) {
        try checkAllowed("unregistration")
        try server.unregisterRepository(path)
    }
}
