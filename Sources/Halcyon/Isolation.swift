private import CPlatform
internal import Logging
internal import ModelIsolation
public import ModelRuntime
internal import Synchronization
internal import Tensors

/// Which models run in processes of their own, so that one that crashes, hangs or leaks takes nobody with it.
public enum Isolation: String, Hashable, Sendable, CaseIterable {
    /// No model, whatever its configuration says, but those whose files a client brought through the load API.
    case none
    /// Those whose configuration has the parameter `isolation`, `process` or `per-instance`, and those whose files a
    /// client brought.
    case perModel = "per-model"
    /// All whose configuration does not have the parameter `isolation` with `none`.
    case process
}

/// A program that can be a worker: it calls ``InferenceServer/runWorkerIfAsked(backends:)`` first.
public struct WorkerCommand: Hashable, Sendable {
    /// The absolute path.
    public var executable: String
    /// Its arguments, before those that every worker gets.
    public var arguments: [String]

    /// A program with its arguments; none by default.
    public init(executable: String, arguments: [String] = []) {
        self.executable = executable
        self.arguments = arguments
    }
}

extension InferenceServer {
    /// Whether this program calls ``runWorkerIfAsked(backends:)``.
    private static let canBeWorker = Atomic<Bool>(false)

    /// Makes this program one that can be a worker: a process that runs a model of an isolating server.
    ///
    /// Call it first in `main`. In a process that a server has started as a worker it never returns. Otherwise it
    /// returns at once, and servers of this process can isolate models.
    ///
    /// - Parameter backends: those that servers of this program have in ``ServerOptions/backends``.
    public static func runWorkerIfAsked(backends: [any Backend] = []) {
        canBeWorker.store(true, ordering: .relaxed)
        guard CommandLine.arguments.dropFirst().first == WorkerMain.command else { return }
        WorkerMain.run { settings in
            var options = ServerOptions()
            options.engineDirectories = settings.engineDirectories
            options.backendDirectory = settings.backendDirectory.isEmpty ? nil : settings.backendDirectory
            options.backendConfiguration = settings.backendConfiguration
            options.allowsModelBackends = settings.allowsModelBackends
            options.pinnedMemoryPoolByteSize = settings.pinnedBytes
            options.minimumComputeCapability = settings.minimumComputeCapability
            options.backends = backends
            return try Self.backends(
                options, Self.allEnginePlaces(options), gpus: Self.gpus(options), cores: settings.cores,
                pauses: (Pauses(), Pauses()))
        }
    }

    /// What decides which models are isolated.
    static func isolation(
        _ options: ServerOptions, directories: [String: [String]], cores: Int
    ) -> IsolationPolicy {
        var settings = WorkerSettings()
        settings.engineDirectories = directories
        settings.backendDirectory = mainBackendFolder(options)
        settings.backendConfiguration = options.backendConfiguration
        settings.allowsModelBackends = options.allowsModelBackends
        settings.cores = cores
        settings.minimumComputeCapability = options.minimumComputeCapability
        settings.pinnedBytes = options.pinnedMemoryPoolByteSize
        settings.outputBytes = max(settings.outputBytes, MemoryLimit.detected() / 4)
        let mode: IsolationPolicy.Mode =
            switch options.isolation {
            case .none: .none
            case .perModel: .perModel
            case .process: .process
            }
        if options.sandboxesWorkers { noteSandbox(options) }
        return IsolationPolicy(
            mode: mode, launcher: launcher(options), settings: settings, isSandboxed: options.sandboxesWorkers)
    }

    private static func launcher(_ options: ServerOptions) -> ProcessLauncher? {
        if let command = options.workerCommand {
            return ProcessLauncher(
                executable: command.executable, arguments: command.arguments + [WorkerMain.command])
        }
        guard canBeWorker.load(ordering: .relaxed) else { return nil }
        // This very program, even where another has taken its place since.
        return ProcessLauncher(executable: "/proc/self/exe", arguments: [WorkerMain.command])
    }

    /// What of a sandbox this system has not.
    private static func noteSandbox(_ options: ServerOptions) {
        let support = halcyon_sandbox_support()
        let parts = [
            (Int32(HALCYON_SANDBOX_FILES), "access to some files only (Landlock)"),
            (Int32(HALCYON_SANDBOX_CALLS), "no sockets and no programs (seccomp)"),
        ]
        for (part, what) in parts where support & part == 0 {
            options.log.warning(
                "a part of the sandbox can't be had, and workers go without it", metadata: ["part": "\(what)"])
        }
    }
}
