internal import CTriton
internal import Logging
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors
internal import Threads

/// A model of a Triton backend.
final class TritonModel: BatchFormingModel, InstancePreferences {
    let object: ModelObject
    /// The folders of the version and of the model.
    private let ownFolders: [String]
    private let allowsModelFolders: Bool
    private let strategy = Locked<BatchStrategy?>(nil)

    init(_ source: ModelSource, of backend: BackendObject, _ options: TritonBackend.Options) throws(HalcyonError) {
        ownFolders = ["\(source.modelDirectory)/\(source.version)", source.modelDirectory]
        allowsModelFolders = options.allowsModelFolders
        object = try ModelObject(
            source.configuration, version: source.version, folder: source.modelDirectory, of: backend,
            completesConfiguration: options.completesConfigurations, models: options.models)
        try object.initialize()
    }

    deinit {
        // The strategy ends before its model does.
        _ = strategy.withLock { $0.take() }
        object.finalize()
    }

    var completedConfiguration: ModelConfiguration? { object.completed }
    /// Models of such backends do as they like with a request, calls to other models included.
    var warmsUpOnZeros: Bool { false }

    func prepare(for configuration: ModelConfiguration, plan: CPUPlan) throws {
        object.set(configuration)
        guard !formsBatches,
            let path = try BatchStrategyLibrary.path(
                for: configuration, own: ownFolders, backend: object.backend.folderText, isAllowed: allowsModelFolders)
        else { return }
        guard Self.combinesRequests(configuration) else {
            InterfaceLog.logger?.notice(
                """
                the library of custom batching is not loaded, as the model's requests are not combined: that takes \
                dynamic_batching, a max_batch_size of more than 1, and a model that is not decoupled
                """,
                metadata: ["model": "\(object.nameText)", "library": "\(path)"])
            return
        }
        InterfaceLog.logger?.info(
            "custom batching", metadata: ["model": "\(object.nameText)", "library": "\(path)"])
        let made = try BatchStrategy(BatchStrategyLibrary(path), of: object)
        strategy.withLock { $0 = made }
    }

    /// Whether the scheduler makes batches of several requests, which a library then has a say in.
    private static func combinesRequests(_ configuration: ModelConfiguration) -> Bool {
        configuration.dynamicBatching != nil && configuration.maxBatchSize > 1 && !configuration.isDecoupled
    }

    var formsBatches: Bool { strategy.withLock { $0 != nil } }

    func beginBatch() -> (any BatchFormation)? { strategy.withLock { $0 }?.begin() }

    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance {
        try TritonInstance(identity, of: self)
    }

    var preferredInstanceGroups: [InstanceGroup] { object.backend.preferredGroups.map(\.instanceGroup) }
    var makesInstancesTogether: Bool { object.backend.loadsInParallel }

    var properties: [(name: String, value: String)] { [("library", object.backend.library.path)] }
}
