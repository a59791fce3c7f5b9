package import ModelRuntime
package import Tensors
internal import Threads
internal import Tracing

/// The trace of one request. It is complete, and goes where the settings say, when everybody who could add to it has
/// release it.
package final class Trace: RequestTrace {
    private let sampler: TraceSampler
    /// What the caller's own trace is, for the spans.
    private let context: ServiceContext
    /// Gives the numbers of traces, which those of the steps share.
    private let nextID: @Sendable () -> UInt64
    private let record: Locked<TraceRecord>

    init(sampler: TraceSampler, context: ServiceContext, nextID: @escaping @Sendable () -> UInt64) {
        self.sampler = sampler
        self.context = context
        self.nextID = nextID
        record = Locked(TraceRecord(id: nextID()))
    }

    deinit { sampler.collect(record.withLock { $0 }, context: context) }

    package var wantsTensors: Bool { sampler.settings.levels.contains(.tensors) }

    package func began(model: String, version: Int64, requestID: String) {
        add(.model(.init(name: model, version: version, requestID: requestID)), to: 0)
    }

    package func reached(_ point: TracePoint, at time: UInt64) { reached(point, at: time, in: 0) }

    package func saw(_ tensor: Tensor, as role: TracedTensor) { saw(tensor, as: role, in: 0) }

    package func failed(_ error: HalcyonError) { failed(error, in: 0) }

    package func step() -> any RequestTrace { step(of: 0) }

    // MARK: Parts

    fileprivate func step(of parent: Int) -> any RequestTrace {
        let id = nextID()
        let part = record.withLock { record in
            record.parts.append(.init(id: id, parent: parent))
            return record.parts.count - 1
        }
        return TraceStep(trace: self, part: part)
    }

    fileprivate func add(_ entry: TraceRecord.Entry, to part: Int) {
        record.withLock { if $0.parts.indices.contains(part) { $0.parts[part].entries.append(entry) } }
    }

    fileprivate func reached(_ point: TracePoint, at time: UInt64, in part: Int) {
        guard sampler.settings.levels.contains(.timestamps) else { return }
        add(.point(point, time), to: part)
    }

    fileprivate func saw(_ tensor: Tensor, as role: TracedTensor, in part: Int) {
        guard let charge = sampler.charge(tensor.data.byteCount), let kept = Self.kept(tensor) else { return }
        add(.tensor(role, kept, charge), to: part)
    }

    /// The tensor with bytes that stay as they are: what lies in shared memory may be something else later.
    private static func kept(_ tensor: Tensor) -> Tensor? {
        guard tensor.data.storage.isShared || !tensor.data.placement.isHostAccessible else { return tensor }
        var kept = tensor
        let storage = TensorStorage.allocate(byteCount: tensor.data.byteCount)
        guard (try? tensor.data.copy(to: storage.baseAddress)) != nil else { return nil }
        kept.data = TensorBuffer(storage)
        return kept
    }

    fileprivate func failed(_ error: HalcyonError, in part: Int) {
        record.withLock { if $0.parts.indices.contains(part) { $0.parts[part].error = error } }
    }
}

/// The trace of a step, which is part of its request's.
private struct TraceStep: RequestTrace {
    let trace: Trace
    let part: Int

    var wantsTensors: Bool { trace.wantsTensors }

    func began(model: String, version: Int64, requestID: String) {
        trace.add(.model(.init(name: model, version: version, requestID: requestID)), to: part)
    }

    func reached(_ point: TracePoint, at time: UInt64) {
        // A response is complete once, for the caller.
        if point != .responseComplete { trace.reached(point, at: time, in: part) }
    }

    func saw(_ tensor: Tensor, as role: TracedTensor) { trace.saw(tensor, as: role, in: part) }

    func failed(_ error: HalcyonError) { trace.failed(error, in: part) }

    func step() -> any RequestTrace { trace.step(of: part) }
}
