private import CPlatform
private import Glibc
internal import ModelRuntime
internal import Synchronization
internal import Tensors
internal import Threads

/// One instance's connection to the worker that it runs in.
final class InstanceLink: Sendable {
    /// What can go wrong with a batch beside what the engine says.
    enum Failure: Error {
        /// The worker was gone before it got the batch.
        case notSent
        /// It went while it had the batch.
        case lost(WorkerEnding)
    }

    /// Bytes of tensors that go into a message whole: less than finding memory for them costs.
    static let small = 4096

    let worker: WorkerConnection
    let channel: FrameChannel
    let isDecoupled: Bool
    private let memory: InputMemory
    private let ledger: Locked<OutputLedger<SharedSegment>>
    /// Outputs that nobody reads any more, and of which the worker is to be told.
    private let returned = Locked<[UInt64]>([])

    init(
        worker: WorkerConnection, channel: FrameChannel, isDecoupled: Bool, memory: InputMemory, outputBytes: Int
    ) {
        self.worker = worker
        self.channel = channel
        self.isDecoupled = isDecoupled
        self.memory = memory
        ledger = Locked(OutputLedger(byteLimit: outputBytes))
    }

    /// A request with its inputs, the descriptors that go with it, and what must live until the worker has answered.
    struct Outgoing {
        var work = InstanceRequest.Work()
        var descriptors: [Int32] = []
        var kept: [TensorStorage] = []
    }

    /// Puts inputs where the worker reads them. What lies in memory that it has is not copied.
    ///
    /// - Throws: where there is no memory, or what a device says whose memory they are in.
    func outgoing(_ inputs: [Tensor]) throws(HalcyonError) -> Outgoing {
        var outgoing = Outgoing()
        let total = inputs.reduce(0) { $0 &+ $1.data.byteCount }
        if total <= Self.small {
            for input in inputs { outgoing.work.inputs.append(Self.wire(input, .here(try input.data.onHost()))) }
            return outgoing
        }
        var pieces: [InputMemory.Piece] = []
        var places: [WireTensor.Place?] = []
        var missing = 0
        for input in inputs {
            let piece = memory.piece(of: input.data)
            if let piece, !pieces.contains(where: { $0.number == piece.number }) { pieces.append(piece) }
            places.append(
                piece.map {
                    .segment(number: $0.number, offset: input.data.offset, byteCount: input.data.byteCount)
                })
            if piece == nil { missing += Self.aligned(input.data.byteCount) }
        }
        if missing > 0 {
            let storage = try memory.take(byteCount: missing)
            guard let piece = memory.piece(of: TensorBuffer(storage)) else {
                throw HalcyonError(.internal, "shared memory is not known")
            }
            pieces.append(piece)
            outgoing.kept.append(storage)
            var offset = 0
            for index in inputs.indices where places[index] == nil {
                let data = inputs[index].data
                try data.copy(to: storage.baseAddress + offset)
                places[index] = .segment(number: piece.number, offset: offset, byteCount: data.byteCount)
                offset += Self.aligned(data.byteCount)
            }
        }
        for (input, place) in zip(inputs, places) {
            if let place { outgoing.work.inputs.append(Self.wire(input, place)) }
            outgoing.kept.append(input.data.storage)
        }
        // From here on the message must be sent, or the worker be ended.
        let (new, gone) = memory.enroll(pieces, for: worker.number)
        outgoing.work.segments = new.map { WireSegment(number: $0.number, byteCount: $0.memory.byteCount) }
        outgoing.work.forgotten = gone
        outgoing.descriptors = new.map(\.memory.descriptor)
        return outgoing
    }

    private static func wire(_ tensor: Tensor, _ place: WireTensor.Place) -> WireTensor {
        WireTensor(name: tensor.name, elementType: tensor.elementType, shape: tensor.shape, place: place)
    }

    private static func aligned(_ count: Int) -> Int {
        (count + TensorStorage.alignment - 1) / TensorStorage.alignment * TensorStorage.alignment
    }

    // MARK: Batches

    /// Runs a batch.
    ///
    /// - Parameter limit: nanoseconds that it may take; 0 for as long as it takes.
    /// - Throws: ``Failure``, and what the engine says.
    func execute(_ batch: inout ExecutionBatch, limit: UInt64) throws -> [Tensor] {
        var outgoing = try outgoing(batch.inputs)
        outgoing.work.batchSize = batch.batchSize
        outgoing.work.isWarmUp = batch.isWarmUp
        outgoing.work.requestedOutputs = batch.requestedOutputs.map { $0.sorted() }
        outgoing.work.released = returned.withLock { returned in
            defer { returned = [] }
            return returned
        }
        let frame: [UInt8]
        do {
            frame = try InstanceRequest.execute(outgoing.work).frame()
        } catch {
            worker.end(.fault("its memory is no longer what it knows"))
            throw error
        }
        batch.inferenceWillStart()
        let start = halcyon_monotonic_now()
        do {
            try channel.send(frame, outgoing.descriptors)
        } catch {
            throw Failure.notSent
        }
        // What ends the worker is known before this batch is off the count.
        worker.batches.wrappingAdd(1, ordering: .acquiringAndReleasing)
        defer { worker.batches.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
        do {
            let answer = try InstanceAnswer(try channel.receive(until: limit == 0 ? nil : start &+ limit))
            defer { withExtendedLifetime(outgoing) {} }
            switch answer {
            case .executed(let outputs):
                let tensors = try take(outputs)
                batch.inferenceDidEnd()
                batch.deviceDidMeasure(Self.times(outputs, total: halcyon_monotonic_now() &- start))
                if !batch.isWarmUp { worker.hasExecuted.store(true, ordering: .relaxed) }
                return tensors
            case .failed(let error): throw error
            default: throw ProtocolFault("a batch was answered with something else")
            }
        } catch let fault as ProtocolFault {
            worker.end(.fault(fault.description))
            throw Failure.lost(worker.waitForEnding())
        } catch let end as FrameChannel.End {
            throw Failure.lost(ending(after: end, limit: limit))
        }
    }

    /// What the worker measured, as far as it fits into the time that the server did.
    private static func times(_ outputs: InstanceAnswer.Outputs, total: UInt64) -> DeviceTimes {
        let output = min(outputs.output, total)
        let infer = min(outputs.infer, total - output)
        return DeviceTimes(input: min(outputs.input, total - output - infer), infer: infer, output: output)
    }

    /// Why the worker is gone of which nothing more comes; it is, at the latest now.
    func ending(after end: FrameChannel.End, limit: UInt64) -> WorkerEnding {
        switch end {
        case .closed: return worker.endingAfterSilence()
        case .fault(let fault): worker.end(.fault(fault.description))
        case .late: worker.end(.overrun(limit))
        }
        return worker.waitForEnding()
    }

    // MARK: Outputs

    /// Checks what a worker says of its outputs, and makes tensors of them.
    private func take(_ outputs: InstanceAnswer.Outputs) throws -> [Tensor] {
        let descriptors = try channel.takeDescriptors(outputs.segments.count)
        try ledger.withLock { ledger in
            for number in outputs.dropped { try ledger.drop(number) }
            var left = descriptors[...]
            defer { for descriptor in left { close(descriptor) } }
            for segment in outputs.segments {
                try ledger.check(segment)
                let memory = try SharedSegment.taken(left.removeFirst(), byteCount: segment.byteCount)
                ledger.admit(segment, memory)
            }
        }
        var lent: [UInt64: TensorStorage] = [:]
        return try outputs.tensors.map { try tensor($0, &lent) }
    }

    private func tensor(_ wire: WireTensor, _ lent: inout [UInt64: TensorStorage]) throws(ProtocolFault) -> Tensor {
        var data: TensorBuffer
        switch wire.place {
        case .here(let bytes): data = bytes
        case .segment(let number, let offset, let byteCount):
            let storage: TensorStorage
            if let known = lent[number] { storage = known } else { storage = try lend(number) }
            lent[number] = storage
            do {
                data = try TensorBuffer(storage).slice(offset: offset, byteCount: byteCount)
            } catch {
                throw ProtocolFault("output '\(wire.name)': \(error.message)")
            }
        }
        if wire.elementType == .bytes {
            // Texts are found by lengths that lie among them: they must be the same at every look.
            data = data.withUnsafeBytes { TensorBuffer(copying: $0) }
            try Texts.check(data, name: wire.name, shape: wire.shape)
        }
        return Tensor(unchecked: wire.name, elementType: wire.elementType, shape: wire.shape, data: data)
    }

    private func lend(_ number: UInt64) throws(ProtocolFault) -> TensorStorage {
        let memory = try ledger.withLock { (ledger) throws(ProtocolFault) in try ledger.lend(number) }
        return TensorStorage(owning: memory.start, byteCount: memory.byteCount, isShared: true) { [self] _ in
            withExtendedLifetime(memory) {
                ledger.withLock { $0.giveBack(number) }
                returned.withLock { $0.append(number) }
            }
        }
    }
}

/// Texts as they lie in memory: each a length and so many bytes.
enum Texts {
    /// - Throws: where there are more or fewer than the shape says, or a length leads outside.
    static func check(_ data: TensorBuffer, name: String, shape: TensorShape) throws(ProtocolFault) {
        var left = (try? shape.elementCount()) ?? -1
        let isWhole = data.withUnsafeBytes { bytes in
            var offset = 0
            while left > 0, bytes.count - offset >= 4 {
                let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                guard length <= bytes.count - offset - 4 else { return false }
                offset += 4 + length
                left -= 1
            }
            return left == 0 && offset == bytes.count
        }
        guard isWhole else { throw ProtocolFault("output '\(name)' does not hold the texts of its shape \(shape)") }
    }
}
