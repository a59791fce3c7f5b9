internal import ModelRuntime
internal import Tensors
internal import Threads

/// An instance in the worker: takes batches from its channel, one after the other, and answers each.
///
/// One thread has it.
final class WorkerInstance: @unchecked Sendable {
    private let instance: any ModelInstance
    private let channel: FrameChannel
    private let memory: InputTable
    private let watch: MemoryWatch
    private var pool: OutputPool<SharedSegment>

    init(
        _ instance: any ModelInstance, _ channel: FrameChannel, _ memory: InputTable, outputBytes: Int,
        watch: MemoryWatch = .none
    ) {
        self.instance = instance
        self.channel = channel
        self.memory = memory
        self.watch = watch
        pool = OutputPool(byteLimit: outputBytes)
    }

    /// Until the server has no more use for it.
    func run() {
        defer { channel.shut() }
        while let body = try? channel.receive() {
            guard let request = try? InstanceRequest(body),
                let descriptors = try? channel.takeDescriptors(request.descriptorCount),
                case .execute(let work) = request, execute(work, descriptors)
            else { return }
        }
    }

    /// - Returns: whether it goes on.
    func execute(_ work: InstanceRequest.Work, _ descriptors: [Int32]) -> Bool {
        let start = SystemClock().now()
        pool.released(work.released)
        var sent: [SharedSegment] = []
        let answer: InstanceAnswer
        do {
            try memory.admit(work.segments, descriptors)
            memory.forget(work.forgotten)
            var inputs: [Tensor] = []
            for input in work.inputs { inputs.append(try memory.tensor(input)) }
            answer = try executed(work, inputs, start: start, &sent)
        } catch let fault as ProtocolFault {
            _ = watch.ends(after: fault)
            return false
        } catch {
            if watch.ends(after: error) { return false }
            answer = .failed(HalcyonError(wrapping: error))
        }
        let frame: [UInt8]
        do {
            frame = try answer.frame()
        } catch {
            guard let failure = try? InstanceAnswer.failed(error).frame() else { return false }
            frame = failure
            sent = []
        }
        return withExtendedLifetime(sent) { (try? channel.send(frame, sent.map(\.descriptor))) != nil }
    }

    private func executed(
        _ work: InstanceRequest.Work, _ inputs: [Tensor], start: UInt64, _ sent: inout [SharedSegment]
    ) throws -> InstanceAnswer {
        let clock = SystemClock()
        var batch = ExecutionBatch(
            inputs: inputs, batchSize: work.batchSize, requestedOutputs: work.requestedOutputs.map(Set.init),
            clock: clock, isWarmUp: work.isWarmUp)
        let handedOver = clock.now()
        let outputs = try instance.execute(&batch)
        let executed = clock.now()
        var answer = InstanceAnswer.Outputs()
        try place(
            outputs.map { output in
                var output = output
                output.data = try output.data.onHost()
                return output
            }, in: &answer, &sent)
        answer.dropped += pool.takeDropped()
        let (inferStart, inferEnd) = Self.marks(of: batch, from: handedOver, to: executed)
        answer.input = inferStart &- start
        answer.infer = inferEnd &- inferStart
        answer.output = clock.now() &- inferEnd
        return .executed(answer)
    }

    /// When the engine computed, by what the instance says of it.
    private static func marks(of batch: ExecutionBatch, from start: UInt64, to end: UInt64) -> (UInt64, UInt64) {
        if let times = batch.deviceTimes {
            let output = min(times.output, end - start)
            let infer = min(times.infer, end - start - output)
            return (end - output - infer, end - output)
        }
        let first = batch.inferenceStart > 0 ? min(max(batch.inferenceStart, start), end) : start
        let last = batch.inferenceEnd > 0 ? min(max(batch.inferenceEnd, first), end) : end
        return (first, last)
    }

    /// Copies outputs to where the server reads them.
    private func place(
        _ outputs: [Tensor], in answer: inout InstanceAnswer.Outputs, _ sent: inout [SharedSegment]
    ) throws(HalcyonError) {
        let total = outputs.reduce(0) { $0 &+ Self.aligned($1.data.byteCount) }
        guard total > InstanceLink.small, let (number, shared) = try segment(total, &answer, &sent) else {
            for output in outputs { answer.tensors.append(Self.wire(output, .here(output.data))) }
            return
        }
        var offset = 0
        for output in outputs {
            try output.data.copy(to: shared.start + offset)
            answer.tensors.append(
                Self.wire(output, .segment(number: number, offset: offset, byteCount: output.data.byteCount)))
            offset += Self.aligned(output.data.byteCount)
        }
    }

    private func segment(
        _ byteCount: Int, _ answer: inout InstanceAnswer.Outputs, _ sent: inout [SharedSegment]
    ) throws(HalcyonError) -> (UInt64, SharedSegment)? {
        switch pool.choose(byteCount) {
        case .none: return nil
        case .reuse(let piece): return (piece.number, piece.memory)
        case .make(let number, let dropped):
            let shared = try SharedSegment.make(byteCount: byteCount)
            pool.made(number, byteCount: shared.byteCount, shared)
            answer.dropped = dropped
            answer.segments = [WireSegment(number: number, byteCount: shared.byteCount)]
            sent = [shared]
            return (number, shared)
        }
    }

    private static func wire(_ tensor: Tensor, _ place: WireTensor.Place) -> WireTensor {
        WireTensor(name: tensor.name, elementType: tensor.elementType, shape: tensor.shape, place: place)
    }

    private static func aligned(_ count: Int) -> Int {
        (count + TensorStorage.alignment - 1) / TensorStorage.alignment * TensorStorage.alignment
    }
}
