internal import LibraryFiles
internal import ModelRuntime
internal import Tensors

/// Runs batches on a session, on the processor.
final class ONNXRuntimeInstance: ModelInstance {
    private let session: Session
    private let modelName: String
    /// Whether the first dimension of its tensors is the batch.
    private let batches: Bool
    private var certainOutputs: CertainOutputs { session.certainOutputs }

    init(_ session: Session, modelName: String, batches: Bool) {
        self.session = session
        self.modelName = modelName
        self.batches = batches
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
            if batch.hasCallersMemory {
                let targets = try targets(of: &batch, wanted)
                if !targets.isEmpty, let outputs = try? run(&batch, inputs, given, wanted, targets) { return outputs }
                let outputs = try run(&batch, inputs, given, wanted, [:])
                // It was the memory: the outputs' shapes, for instance.
                if !targets.isEmpty { certainOutputs.giveUp() }
                return outputs
            }
            return try run(&batch, inputs, given, wanted, [:])
        } catch {
            throw error.prefixed("model '\(modelName)': ")
        }
    }

    private func run(
        _ batch: inout ExecutionBatch, _ inputs: [InputValue], _ given: [Int], _ wanted: [Int],
        _ targets: [Int: OutputTarget]
    ) throws(HalcyonError) -> [Tensor] {
        batch.inferenceWillStart()
        let values = try session.run(inputs, given: given, wanted: wanted, into: targets.mapValues(\.value))
        batch.inferenceDidEnd()
        var outputs: [Tensor] = []
        for (position, index) in wanted.enumerated() {
            let port = session.outputs[index]
            if let target = targets[position] {
                outputs.append(
                    try Tensor(
                        name: port.name, elementType: port.elementType, shape: target.shape,
                        data: TensorBuffer(target.storage)))
                continue
            }
            let (output, isInput) = try session.tensor(values[position], port, inputs: inputs)
            // Where the engine computes nothing it writes nothing, whatever memory it is given.
            certainOutputs.note(index, output.shape, promised: isInput ? nil : promisedShape(port, of: batch))
            outputs.append(output)
        }
        return outputs
    }

    // MARK: Memory of a caller's for outputs

    /// Where an output is written.
    private struct OutputTarget {
        var storage: TensorStorage
        var shape: TensorShape
        var value: Handle
    }

    private func promisedShape(_ port: Session.Port, of batch: borrowing ExecutionBatch) -> TensorShape? {
        CertainOutputs.promised(port.dimensions, batchSize: batches ? batch.batchSize : nil)
    }

    /// The caller's memory for the outputs of which it is certain what they are, by position in `wanted`.
    private func targets(
        of batch: inout ExecutionBatch, _ wanted: [Int]
    ) throws(HalcyonError) -> [Int: OutputTarget] {
        var targets: [Int: OutputTarget] = [:]
        for (position, index) in wanted.enumerated() {
            let port = session.outputs[index]
            guard let shape = promisedShape(port, of: batch),
                let storage = certainOutputs.memory(
                    for: index, named: port.name, shape: shape, as: port.elementType, of: &batch)
            else { continue }
            targets[position] = OutputTarget(
                storage: storage, shape: shape, value: try session.value(over: storage, port, shape))
        }
        return targets
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
