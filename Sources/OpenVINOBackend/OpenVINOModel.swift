internal import Logging
internal import ModelConfiguration
internal import ModelRuntime
private import Synchronization
internal import Tensors

/// One version of a model: read when it is made, compiled by ``prepare(for:plan:)``, and freed with the last instance.
final class OpenVINOModel: Model {
    let signature: ModelSignature?

    private enum Stage: Sendable {
        /// `nil` where the layout was known from an earlier load.
        case opened(SourceModel?)
        case compiled(CompiledModel)
        /// Between the two, and after a compilation that failed.
        case unusable
    }

    private let runtime: Runtime
    private let modelName: String
    private let path: String
    private let parameters: ModelParameters
    private let cache: LayoutCache?
    private let layout: TensorLayout
    private let stage: Mutex<Stage>

    init(runtime: Runtime, path: String, source: ModelSource, parameters: ModelParameters) throws(HalcyonError) {
        self.runtime = runtime
        self.path = path
        self.parameters = parameters
        cache = LayoutCache(
            path: path, engineVersion: runtime.library.version, configuration: source.configuration,
            parameters: parameters)
        modelName = source.modelName
        do throws(HalcyonError) {
            if let known = cache?.layout() {
                layout = known
                stage = Mutex(.opened(nil))
            } else {
                let model = try SourceModel(runtime: runtime, path: path)
                layout = try TensorLayout(
                    model, path: path, configuration: source.configuration, parameters: parameters)
                stage = Mutex(.opened(model))
            }
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
        guard case .opened(let source) = stage else {
            throw HalcyonError(.internal, "model '\(modelName)' was prepared twice")
        }
        do throws(HalcyonError) {
            let isFileEnough = cache?.keeps(layout) ?? false
            let compiled = try CompiledModel(
                isFileEnough ? nil : source, path: path, runtime: runtime, layout: layout,
                settings: EngineProperties.settings(parameters, plan: plan), instances: plan.instances)
            cache?.store(layout)
            self.stage.withLock { $0 = .compiled(compiled) }
        } catch {
            throw error.prefixed("model '\(modelName)': ")
        }
    }

    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance {
        guard let compiled else {
            throw HalcyonError(.internal, "instance '\(identity.name)' was asked of a model that is not prepared")
        }
        return try OpenVINOInstance(compiled, modelName: modelName)
    }

    /// The engine takes calls from any thread. With one stream it computes right there, and with several on threads of
    /// its own, which take their work from one queue.
    let mayRunOnCallerThread = true

    var properties: [(name: String, value: String)] {
        guard let compiled else { return [] }
        return [("engine", "OpenVINO \(runtime.library.version)")] + compiled.properties
    }

    private var compiled: CompiledModel? {
        stage.withLock { stage in
            if case .compiled(let model) = stage { model } else { nil }
        }
    }
}
