internal import Logging
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors
internal import Threads

/// One version of a model: read when it is made, compiled by ``prepare(for:plan:)``, and freed with the last instance.
final class OpenVINOModel: BackendModel {
    let signature: ModelSignature?

    private enum Stage: Sendable {
        /// `nil` where the layout was known from an earlier load.
        case opened(SourceModel?)
        case found(CompiledModelFile)
        case compiled(BatchSizeModels)
        /// Between them, and after a compilation that failed.
        case unusable
    }

    private let runtime: Runtime
    private let modelName: String
    /// Of the file that the model is read from, which is not the one that was named where that can't be used.
    private let path: String
    private let parameters: ModelParameters
    private let cache: LayoutCache?
    private let layout: TensorLayout
    private let stage: Locked<Stage>
    /// What it was compiled with.
    private let settings = Locked<[String: String]?>(nil)
    private let log: Logger

    init(runtime: Runtime, path: String, source: ModelSource, parameters: ModelParameters) throws(HalcyonError) {
        self.runtime = runtime
        self.parameters = parameters
        modelName = source.modelName
        log = source.log
        do throws(HalcyonError) {
            let opened = try OpenedModel.open(path, runtime, source.configuration, parameters, source.log)
            self.path = opened.path
            cache = opened.cache
            layout = opened.layout
            stage = Locked(opened.file.map { .found($0) } ?? .opened(opened.model))
        } catch {
            throw error.prefixed("model '\(source.modelName)': ")
        }
        signature = layout.signature
    }

    func prepare(for configuration: ModelConfiguration, plan: CPUPlan) throws {
        let stage = stage.withLock { stage in
            defer { stage = .unusable }
            return stage
        }
        if let input = configuration.inputs.first(where: \.isOptional) {
            throw HalcyonError(
                .unsupported,
                "model '\(modelName)': input '\(input.name)' can't be optional, as OpenVINO runs only with all inputs")
        }
        do throws(HalcyonError) {
            let sizes = try BatchSizeModels.sizes(parameters.fixedBatchSizes, layout.batch, path: path, configuration)
            let settings = EngineProperties.settings(parameters, plan: plan)
            let compiled =
                switch stage {
                case .opened(let source): try compile(source, settings, plan.instances)
                case .found(let file): try takeOver(file, settings, plan.instances)
                case .compiled, .unusable: throw HalcyonError(.internal, "it was prepared twice")
                }
            var models = BatchSizeModels(open: compiled)
            for size in sizes {
                try models.compile(
                    size: size, path: path, runtime, configuration, settings: settings, instances: plan.instances)
            }
            self.stage.withLock { [models] in $0 = .compiled(models) }
            self.settings.withLock { $0 = settings }
        } catch {
            throw error.prefixed("model '\(modelName)': ")
        }
    }

    /// The number of streams is compiled in.
    func isPrepared(for plan: CPUPlan) -> Bool {
        settings.withLock { $0 } == EngineProperties.settings(parameters, plan: plan)
    }

    private func compile(
        _ source: SourceModel?, _ settings: [String: String], _ instances: Int
    ) throws(HalcyonError) -> CompiledModel {
        let isFileEnough = cache?.keeps(layout) ?? false
        let compiled = try CompiledModel(
            isFileEnough ? nil : source, path: path, runtime: runtime, layout: layout, settings: settings,
            instances: instances)
        cache?.store(layout)
        return compiled
    }

    /// Takes over what was compiled before. Where the engine refuses it all the same, what lies beside it is compiled.
    private func takeOver(
        _ file: CompiledModelFile, _ settings: [String: String], _ instances: Int
    ) throws(HalcyonError) -> CompiledModel {
        do throws(HalcyonError) {
            let compiled = try file.load(runtime, settings: settings)
            log.info("the model is taken over compiled", metadata: ["file": "\(file.path)"])
            return CompiledModel(
                compiled, library: runtime.library, layout: layout, cacheDirectory: nil, instances: instances)
        } catch {
            guard let source = CompiledModelFile.source(beside: file.path) else { throw error }
            OpenedModel.warn(log, error, using: source)
            return try CompiledModel(
                nil, path: source, runtime: runtime, layout: layout, settings: settings, instances: instances)
        }
    }

    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance {
        guard let models else {
            throw HalcyonError(.internal, "instance '\(identity.name)' was asked of a model that is not prepared")
        }
        return try models.instance(modelName: modelName)
    }

    /// The engine takes calls from any thread. With one stream it computes right there, and with several on threads of
    /// its own, which take their work from one queue.
    let mayRunOnCallerThread = true

    /// Some of its kernels end the process on them.
    let takesEmptyTensors = false

    var fixedBatchSize: Int? {
        guard case .fixed(let size, pads: false) = layout.batch else { return nil }
        return size
    }

    var properties: [(name: String, value: String)] {
        guard let models else { return [] }
        var properties = [("engine", "OpenVINO \(runtime.library.version)")] + models.open.properties
        if !models.sizes.isEmpty {
            let sizes = models.sizes.keys.sorted().map(String.init)
            properties.append(("FIXED_BATCH_SIZES", sizes.joined(separator: ",")))
        }
        return properties
    }

    private var models: BatchSizeModels? {
        stage.withLock { stage in
            if case .compiled(let models) = stage { models } else { nil }
        }
    }
}
