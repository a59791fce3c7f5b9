internal import JSONText
package import ModelRuntime
package import Tensors
internal import Tracing

/// The trace of one request. It is complete, and goes where the settings say, when everybody who could add to it has
/// let go of it.
package final class Trace: RequestTrace {
    private let sampler: TraceSampler
    /// What the caller's own trace is, for the spans.
    private let context: ServiceContext
    private let record: Locked<TraceRecord>

    init(id: UInt64, sampler: TraceSampler, context: ServiceContext) {
        self.sampler = sampler
        self.context = context
        record = Locked(TraceRecord(id: id))
    }

    deinit { sampler.collect(record.withLock { $0 }, context: context) }

    package var wantsTensors: Bool { sampler.settings.levels.contains(.tensors) }

    package func began(model: String, version: Int64, requestID: String) {
        record.withLock {
            $0.entries.append(.model(.init(name: model, version: version, requestID: requestID)))
        }
    }

    package func reached(_ point: TracePoint, at time: UInt64) {
        guard sampler.settings.levels.contains(.timestamps) else { return }
        record.withLock { $0.entries.append(.point(point, time)) }
    }

    package func saw(_ tensor: Tensor, as role: TracedTensor) {
        // Written out at once: what lies in shared memory may be something else later.
        let text = TraceJSON.tensor(tensor)
        record.withLock { $0.entries.append(.tensor(role, text)) }
    }

    package func failed(_ error: HalcyonError) { record.withLock { $0.error = error } }
}

/// What a trace holds.
struct TraceRecord: Sendable {
    struct Model: Hashable, Sendable {
        var name: String
        var version: Int64
        var requestID: String
    }

    enum Entry: Sendable {
        case model(Model)
        /// Nanoseconds of the machine's monotonic clock.
        case point(TracePoint, UInt64)
        /// As JSON.
        case tensor(TracedTensor, [UInt8])
    }

    let id: UInt64
    var entries: [Entry] = []
    var error: HalcyonError?

    /// When a point was reached first.
    func time(of point: TracePoint) -> UInt64? {
        for case .point(point, let time) in entries { return time }
        return nil
    }
}
