internal import Logging
internal import ModelConfiguration
internal import ModelRuntime
private import Synchronization
internal import Tensors

/// One version of a model: read when it is made, compiled by ``prepare(for:plan:)``, and freed with the last instance.
final class OpenVINOModel: Model {
    let signature: ModelSignature?

    private enum Stage: Sendable {
        case read(SourceModel)
        case compiled(CompiledModel)
        /// Between the two, and after a compilation that failed.
        case unusable
    }

    private let runtime: Runtime
    private let modelName: String
    private let parameters: ModelParameters
    private let layout: TensorLayout
    private let stage: Mutex<Stage>

    init(runtime: Runtime, path: String, source: ModelSource, parameters: ModelParameters) throws(HalcyonError) {
        self.runtime = runtime
        self.parameters = parameters
        modelName = source.modelName
        do throws(HalcyonError) {
            let model = try SourceModel(runtime: runtime, path: path)
            layout = try TensorLayout(model, path: path, configuration: source.configuration, parameters: parameters)
            stage = Mutex(.read(model))
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
        guard case .read(let source) = stage else {
            throw HalcyonError(.internal, "model '\(modelName)' was prepared twice")
        }
        do throws(HalcyonError) {
            let compiled = try CompiledModel(
                source, runtime: runtime, layout: layout, parameters: parameters, plan: plan)
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

    var mayRunOnCallerThread: Bool { compiled?.computesOnCallerThread ?? false }

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
