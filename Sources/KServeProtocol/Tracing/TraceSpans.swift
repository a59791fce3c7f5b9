internal import ModelRuntime
internal import Tensors
internal import Tracing

/// Traces as spans: `InferRequest` for all of a request, and in it `parse`, the model, `queue` and `compute` within the
/// model, and `serialize`.
struct TraceSpans: Sendable {
    private let tracer: any Tracer
    /// What the wall clock is ahead of the monotonic one, in nanoseconds.
    private let epoch: UInt64

    init(_ tracer: any Tracer) {
        self.tracer = tracer
        epoch = DefaultTracerClock.now.nanosecondsSinceEpoch &- SystemClock().now()
    }

    func emit(_ record: TraceRecord, context: ServiceContext) {
        var times: [UInt64] = []
        for case .point(_, let time) in record.entries { times.append(time) }
        guard let first = times.min(), let last = times.max() else { return }
        let root = tracer.startSpan("InferRequest", context: context, ofKind: .server, at: instant(first))
        if let error = record.error {
            root.recordError(error, attributes: [:], at: instant(last))
            root.setStatus(SpanStatus(code: .error, message: error.message))
        }
        let received = record.time(of: .httpReceiveEnd) ?? record.time(of: .grpcReceiveEnd)
        child("parse", of: root, from: received, to: record.time(of: .requestStart))
        model(record, root)
        let sending = record.time(of: .httpSendStart) ?? record.time(of: .grpcSendStart)
        child("serialize", of: root, from: sending, to: record.time(of: .httpSendEnd) ?? record.time(of: .grpcSendEnd))
        root.end(at: instant(last))
    }

    private func model(_ record: TraceRecord, _ root: any Span) {
        guard let start = record.time(of: .requestStart), let end = record.time(of: .requestEnd) else { return }
        for case .model(let model) in record.entries {
            let span = tracer.startSpan(model.name, context: root.context, ofKind: .internal, at: instant(start))
            span.updateAttributes { attributes in
                attributes["triton.model_name"] = model.name
                attributes["triton.model_version"] = model.version
                attributes["triton.trace_id"] = Int64(clamping: record.id)
                if !model.requestID.isEmpty { attributes["triton.request_id"] = model.requestID }
            }
            let computing = record.time(of: .computeStart)
            child("queue", of: span, from: record.time(of: .queueStart), to: computing ?? end)
            if let computing, let computed = record.time(of: .computeEnd) {
                let compute = tracer.startSpan(
                    "compute", context: span.context, ofKind: .internal, at: instant(computing))
                for point in [TracePoint.computeInputEnd, .computeOutputStart] {
                    guard let time = record.time(of: point) else { continue }
                    compute.addEvent(SpanEvent(name: point.rawValue, at: instant(time)))
                }
                compute.end(at: instant(computed))
            }
            span.end(at: instant(end))
        }
    }

    private func child(_ name: String, of parent: any Span, from start: UInt64?, to end: UInt64?) {
        guard let start, let end else { return }
        tracer.startSpan(name, context: parent.context, ofKind: .internal, at: instant(start)).end(at: instant(end))
    }

    private func instant(_ time: UInt64) -> DefaultTracerClock.Timestamp {
        .init(nanosecondsSinceEpoch: epoch &+ time)
    }
}
