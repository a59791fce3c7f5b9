internal import CUDADriver
internal import LibraryFiles
internal import ModelRuntime
internal import Tensors

/// Runs batches on a session, on a GPU: inputs are copied there, or taken from where they are, and outputs are copied
/// back unless they are wanted there.
final class ONNXRuntimeGPUInstance: DeviceReadingInstance {
    /// Where it runs.
    struct Place {
        var gpu: GPU
        /// For copies; of the instance alone.
        var stream: CUDAStream
        /// Gives memory for outputs that the processor reads.
        var memory: GPUs
        /// What tells the engine that data are in the GPU's memory.
        var information: Handle
    }

    private let sessions: ShapedSessions
    private let place: Place
    private let modelName: String
    /// Before the inputs, after them, after the inference and after the outputs.
    private let marks: [CUDAEvent]

    var deviceMemory: any DeviceMemory { place.gpu }

    init(_ sessions: ShapedSessions, on place: Place, modelName: String) throws(HalcyonError) {
        self.sessions = sessions
        self.place = place
        self.modelName = modelName
        var marks: [CUDAEvent] = []
        for _ in 0..<4 { marks.append(try CUDAEvent(place.gpu.context)) }
        self.marks = marks
    }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        let work = Work()
        do throws(HalcyonError) {
            return try run(&batch, work)
        } catch {
            _ = try? place.stream.synchronize()
            let explained = EngineFailure.explained(error)
            // The memory that the pool keeps may be what the next batch needs.
            if explained.code == .unavailable { place.gpu.pool.shrink() }
            withExtendedLifetime(work) {}
            throw explained.prefixed("model '\(modelName)': ")
        }
    }

    /// What copies read and write: it has to stay until they are done, also where something fails between.
    private final class Work {
        var inputs: [InputValue] = []
        var values: [Handle] = []
        var targets: [TensorStorage] = []
    }

    private func run(_ batch: inout ExecutionBatch, _ work: Work) throws(HalcyonError) -> [Tensor] {
        let stream = place.stream
        try stream.record(marks[0])
        let given = sessions.first.givenInputs(of: batch)
        let tensors = try given.map { index throws(HalcyonError) in try batch.input(sessions.first.inputs[index].name) }
        for (index, tensor) in zip(given, tensors) {
            work.inputs.append(try input(tensor, sessions.first.inputs[index], work))
        }
        let session = try sessions.session(for: tensors.map(\.shape))
        try stream.record(marks[1])
        // Binding copies what a step on the processor reads, and does so on our stream only where a step is on the GPU
        // too.
        try stream.synchronize()
        let wanted = session.wantedOutputs(of: batch)
        work.values = try session.run(
            bound: work.inputs, given: given, wanted: wanted, outputMemory: place.information)
        try stream.record(marks[2])
        var outputs: [Tensor] = []
        for (value, index) in zip(work.values, wanted) {
            outputs.append(
                try output(value, session.outputs[index], of: session, work, placement: batch.outputPlacement))
        }
        try stream.record(marks[3])
        try stream.synchronize()
        batch.deviceDidMeasure(
            DeviceTimes(
                input: try marks[1].nanoseconds(since: marks[0]), infer: try marks[2].nanoseconds(since: marks[1]),
                output: try marks[3].nanoseconds(since: marks[2])))
        withExtendedLifetime(work) {}
        return outputs
    }

    // MARK: In

    private func input(_ tensor: Tensor, _ port: Session.Port, _ work: Work) throws(HalcyonError) -> InputValue {
        // The engine has texts in the processor's memory, whatever runs the model.
        guard port.elementType != .bytes else {
            return try InputValue(tensor, port: port, runtime: sessions.first.runtime)
        }
        try InputValue.check(tensor, port)
        let alignment = UInt(tensor.elementType.byteSize ?? 1)
        var data = tensor.data
        if data.placement != .gpu(place.gpu.device.number) || UInt(bitPattern: data.baseAddress) % alignment != 0 {
            let storage = try place.gpu.allocate(byteCount: data.byteCount)
            work.targets.append(storage)
            try place.stream.copy(byteCount: data.byteCount, from: data.baseAddress, to: storage.baseAddress)
            data = TensorBuffer(storage)
        }
        return InputValue(
            handle: try InputValue.tensor(
                tensor, over: data, sessions.first.runtime, memory: place.information.pointer),
            data: data, source: tensor.data)
    }

    // MARK: Out

    private func output(
        _ value: Handle, _ port: Session.Port, of session: Session, _ work: Work, placement: MemoryPlacement?
    ) throws(HalcyonError) -> Tensor {
        guard port.elementType != .bytes else { return try session.tensor(value, port, inputs: work.inputs).tensor }
        let shape = try session.shape(of: value, port)
        let byteCount = try shape.byteCount(of: port.elementType)
        let data = try self.data(of: value, port, from: session, byteCount: byteCount, work, placement)
        return try Tensor(name: port.name, elementType: port.elementType, shape: shape, data: data)
    }

    private func data(
        of value: Handle, _ port: Session.Port, from session: Session, byteCount: Int, _ work: Work,
        _ placement: MemoryPlacement?
    ) throws(HalcyonError) -> TensorBuffer {
        guard byteCount > 0 else { return TensorBuffer(TensorStorage.allocate(byteCount: 0)) }
        let here = MemoryPlacement.gpu(place.gpu.device.number)
        let address = try session.address(of: value, port)
        let owner = OutputOwner(value, of: session)
        let own = TensorBuffer(
            TensorStorage(owning: address, byteCount: byteCount, placement: here, device: place.gpu) { _ in
                withExtendedLifetime(owner) {}
            })
        // An output that the model does not compute may be an input's memory, which is not ours to hand out.
        if placement == here, !work.inputs.contains(where: { $0.data.overlaps(own) }) { return own }
        let storage =
            switch placement {
            case here: try place.gpu.allocate(byteCount: byteCount)
            case .cpu: TensorStorage.allocate(byteCount: byteCount)
            default: place.memory.hostStorage(byteCount: byteCount)
            }
        work.targets.append(storage)
        try place.stream.copy(byteCount: byteCount, from: address, to: storage.baseAddress)
        return try TensorBuffer(storage).slice(offset: 0, byteCount: byteCount)
    }
}

/// Keeps an output's memory, and the session that gave it for a while longer.
private final class OutputOwner: Sendable {
    private let value: Handle
    private let session: Session

    init(_ value: Handle, of session: Session) {
        self.value = value
        self.session = session
    }
}
