internal import ModelConfigurations
package import ModelRuntime
package import Tensors

/// Which models run in processes of their own, and what those may.
package struct IsolationPolicy: ModelIsolating {
    /// What the operator wants of all models.
    package enum Mode: Hashable, Sendable {
        /// No model, but those whose files a client brought.
        case none
        /// Those that say so, and those whose files a client brought.
        case perModel
        /// All that do not say otherwise, and are not in processes of their own anyway.
        case process
    }

    /// What a model's parameter says.
    package enum Choice: String, Hashable, Sendable, CaseIterable {
        case none
        case process
        case perInstance = "per-instance"
    }

    package var mode: Mode
    /// `nil` where nobody knows a program that can be a worker.
    package var launcher: (any WorkerLauncher)?
    package var settings: WorkerSettings
    package var isSandboxed: Bool

    package init(mode: Mode, launcher: (any WorkerLauncher)?, settings: WorkerSettings, isSandboxed: Bool) {
        self.mode = mode
        self.launcher = launcher
        self.settings = settings
        self.isSandboxed = isSandboxed
    }

    package func backend(
        for request: IsolationRequest, around backend: any Backend
    ) throws(HalcyonError) -> any Backend {
        let choice = try choice(for: request, around: backend)
        guard choice != .none else { return backend }
        guard let launcher else {
            throw HalcyonError(
                .unsupported,
                "model '\(request.modelName)' is to run in a process of its own, and this program can't be one: call "
                    + "InferenceServer.runWorkerIfAsked(backends:) first in main, or name a program in "
                    + "ServerOptions.workerCommand")
        }
        var options = IsolatedBackend.Options(launcher: launcher, settings: settings)
        options.isPerInstance = choice == .perInstance
        options.executionLimit = request.executionTimeout
        options.isSandboxed = isSandboxed
        options.memoryLimit = try Self.number(.workerMemory, request) ?? 0
        if let text = request.parameters[ServerParameter.workerProcessors.rawValue] {
            guard let processors = HostPolicy.cores(text), !processors.isEmpty else {
                throw Self.complaint(.workerProcessors, request, "is a list of processors such as 0-3 or 0,2")
            }
            options.settings.processors = processors.sorted()
        }
        options.triesBatchesAgain = try Self.flag(.triesBatchesAgain, request) ?? false
        return IsolatedBackend(backend, options: options)
    }

    /// What a model that is about to be loaded gets.
    func choice(for request: IsolationRequest, around backend: any Backend) throws(HalcyonError) -> Choice {
        var own: Choice?
        if let text = request.parameters[ServerParameter.isolation.rawValue] {
            guard let known = Choice(rawValue: text) else {
                throw Self.complaint(.isolation, request, "is none, process or per-instance")
            }
            own = known
        }
        // Who brings files does not decide where they are executed.
        if request.hasClientFiles, launcher != nil { return own == .perInstance ? .perInstance : .process }
        switch mode {
        case .none: return .none
        case .perModel: return own ?? .none
        case .process: return own ?? (Self.isIsolatedAnyway(request, by: backend) ? .none : .process)
        }
    }

    /// Whether the backend sees to it. A `runtime` may name a library that runs where it is loaded.
    private static func isIsolatedAnyway(_ request: IsolationRequest, by backend: any Backend) -> Bool {
        backend.runsModelsInOwnProcesses && ["", "model.py"].contains(request.runtime)
    }

    private static func number(
        _ parameter: ServerParameter, _ request: IsolationRequest
    ) throws(HalcyonError) -> UInt64? {
        guard let text = request.parameters[parameter.rawValue] else { return nil }
        guard let number = UInt64(text) else { throw complaint(parameter, request, "is a number from 0") }
        return number
    }

    private static func flag(
        _ parameter: ServerParameter, _ request: IsolationRequest
    ) throws(HalcyonError) -> Bool? {
        var configuration = ModelConfiguration(name: request.modelName)
        configuration.parameters = request.parameters
        return try parameter.flag(of: configuration)
    }

    private static func complaint(
        _ parameter: ServerParameter, _ request: IsolationRequest, _ what: String
    ) -> HalcyonError {
        HalcyonError(
            .invalidArgument,
            "model '\(request.modelName)': the parameter '\(parameter.rawValue)' \(what), got "
                + "'\(request.parameters[parameter.rawValue] ?? "")'")
    }
}
