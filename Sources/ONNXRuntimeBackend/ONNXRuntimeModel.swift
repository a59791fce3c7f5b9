internal import Logging
internal import ModelConfiguration
internal import ModelRuntime
private import Synchronization
internal import Tensors

/// One version of a model: its inputs and outputs are read when it is made; ``prepare(for:plan:)`` makes the session
/// that all instances run on, which is freed with the last of them.
final class ONNXRuntimeModel: Model {
    let signature: ModelSignature?

    private let runtime: Runtime
    private let modelName: String
    private let path: String
    private let parameters: ModelParameters
    private let prepared = Mutex<(session: Session, settings: SessionSettings)?>(nil)

    init(runtime: Runtime, path: String, source: ModelSource, parameters: ModelParameters) throws(HalcyonError) {
        self.runtime = runtime
        self.path = path
        self.parameters = parameters
        modelName = source.modelName
        do throws(HalcyonError) {
            // How many threads the session may have is not known before the configuration is complete, and what is
            // missing in it comes from the model: so it is read once more for that.
            let session = try Session(runtime: runtime, path: path, settings: .reading(parameters))
            signature = try Self.signature(session, source.configuration)
        } catch {
            throw error.prefixed("model '\(source.modelName)': ")
        }
    }

    func prepare(for configuration: ModelConfiguration, plan: CPUPlan) throws {
        if let input = configuration.inputs.first(where: \.isOptional) {
            throw HalcyonError(
                .unsupported,
                "model '\(modelName)': input '\(input.name)' can't be optional, as ONNX Runtime runs only with all "
                    + "inputs")
        }
        do throws(HalcyonError) {
            let settings = try SessionSettings.running(configuration, parameters, plan: plan)
            let session = try Session(runtime: runtime, path: path, settings: settings)
            prepared.withLock { $0 = (session, settings) }
        } catch {
            throw error.prefixed("model '\(modelName)': ")
        }
    }

    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance {
        guard let session = prepared.withLock({ $0?.session }) else {
            throw HalcyonError(.internal, "instance '\(identity.name)' was asked of a model that is not prepared")
        }
        return ONNXRuntimeInstance(session, modelName: modelName)
    }

    /// The engine takes runs from any thread, and computes on it together with the session's own.
    let mayRunOnCallerThread = true

    var properties: [(name: String, value: String)] {
        guard let settings = prepared.withLock({ $0?.settings }) else { return [] }
        return [("engine", "ONNX Runtime \(runtime.library.version)")] + settings.described
    }

    /// - Throws: `invalidArgument` where the configuration says that the model batches, and an input does not.
    private static func signature(
        _ session: Session, _ configuration: ModelConfiguration
    ) throws(HalcyonError) -> ModelSignature {
        let maxBatchSize = configuration.maxBatchSize
        for input in session.inputs where maxBatchSize > 0 {
            let first = input.dimensions.first
            if first == Shape.variable || first == 1 && maxBatchSize == 1 { continue }
            if first == nil, configuration.inputs.contains(where: { $0.name == input.name }) { continue }
            let reason = first.map { "has a fixed batch dimension of \($0)" } ?? "has no dimensions"
            throw HalcyonError(
                .invalidArgument,
                "input '\(input.name)' \(reason), so max_batch_size must be 0, but it is \(maxBatchSize)")
        }
        let opensBatch = maxBatchSize == 1
        func port(_ port: Session.Port, _ configured: [TensorConfiguration]) -> ModelSignature.Port {
            var dimensions = port.dimensions
            if opensBatch, dimensions.first == 1 { dimensions[0] = Shape.variable }
            // The engine says the same of a scalar and of a tensor of any rank: the configuration knows better.
            let isUnknown = dimensions.isEmpty && configured.contains { $0.name == port.name }
            return ModelSignature.Port(
                name: port.name, elementType: port.elementType, shape: isUnknown ? nil : Shape(dimensions))
        }
        return ModelSignature(
            inputs: session.inputs.map { port($0, configuration.inputs) },
            outputs: session.outputs.map { port($0, configuration.outputs) })
    }
}

/// Runs batches on a session. It has no state of its own.
final class ONNXRuntimeInstance: ModelInstance {
    private let session: Session
    private let modelName: String

    init(_ session: Session, modelName: String) {
        self.session = session
        self.modelName = modelName
    }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        do throws(HalcyonError) {
            var inputs: [InputValue] = []
            for port in session.inputs {
                inputs.append(try InputValue(batch.input(port.name), port: port, runtime: session.runtime))
            }
            let wanted = session.outputs.indices.filter {
                batch.requestedOutputs?.contains(session.outputs[$0].name) ?? true
            }
            batch.inferenceWillStart()
            let values = try session.run(inputs, wanted: wanted)
            batch.inferenceDidEnd()
            var outputs: [Tensor] = []
            for (value, index) in zip(values, wanted) {
                outputs.append(try session.tensor(value, session.outputs[index], inputs: inputs))
            }
            return outputs
        } catch {
            throw error.prefixed("model '\(modelName)': ")
        }
    }
}
