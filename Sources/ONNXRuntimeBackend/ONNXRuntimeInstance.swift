internal import ModelRuntime
internal import Tensors

/// Runs batches on a session, on the processor. It has no state of its own.
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
            let wanted = session.wantedOutputs(of: batch)
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

extension Session {
    /// The positions of the outputs that somebody wants.
    func wantedOutputs(of batch: ExecutionBatch) -> [Int] {
        outputs.indices.filter { batch.requestedOutputs?.contains(outputs[$0].name) ?? true }
    }
}
