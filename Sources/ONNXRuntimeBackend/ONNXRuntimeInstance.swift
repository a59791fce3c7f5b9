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
            let given = session.givenInputs(of: batch)
            for index in given {
                let port = session.inputs[index]
                inputs.append(try InputValue(batch.input(port.name), port: port, runtime: session.runtime))
            }
            let wanted = session.wantedOutputs(of: batch)
            batch.inferenceWillStart()
            let values = try session.run(inputs, given: given, wanted: wanted)
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
    /// The positions of the inputs that a batch has to bring, and of those that it brings beside them.
    func givenInputs(of batch: ExecutionBatch) -> [Int] {
        inputs.indices.filter { index in
            !inputs[index].isOptional || batch.inputs.contains { $0.name == inputs[index].name }
        }
    }

    /// The positions of the outputs that somebody wants.
    func wantedOutputs(of batch: ExecutionBatch) -> [Int] {
        outputs.indices.filter { batch.requestedOutputs?.contains(outputs[$0].name) ?? true }
    }
}
