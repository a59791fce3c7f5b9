internal import ModelRuntime
internal import Tensors
internal import Threads
internal import Tracing

/// Traces as the spans that Triton makes: `InferRequest` for all of a request, in it one by the name of each model that
/// it came to, and in that `compute` where the model was executed. Each point of the way is an event of its span.
struct TraceSpans: Sendable {
    private let tracer: any Tracer
    /// What the wall clock is ahead of the monotonic one, in nanoseconds.
    private let epoch: UInt64

    init(_ tracer: any Tracer) {
        self.tracer = tracer
        epoch = DefaultTracerClock.now.nanosecondsSinceEpoch &- SystemClock().now()
    }

    func emit(_ record: TraceRecord, context: ServiceContext) {
        let times = record.parts.flatMap { $0.points.map(\.time) }
        guard let request = record.parts.first, let first = times.min(), let last = times.max() else { return }
        let root = tracer.startSpan("InferRequest", context: context, ofKind: .server, at: instant(first))
        add(request.points.filter { Self.isOfTheFrontend($0.point) }, to: root)
        if let error = request.error {
            root.recordError(error, attributes: [:], at: instant(last))
            root.setStatus(SpanStatus(code: .error, message: error.message))
        }
        var contexts = [Int: ServiceContext]()
        for (index, part) in record.parts.enumerated() {
            let parent = part.parent.flatMap { contexts[$0] } ?? root.context
            let caller = part.parent.map { record.parts[$0].id } ?? 0
            contexts[index] = model(part, calledBy: caller, in: parent)
        }
        root.end(at: instant(last))
    }

    /// - Parameter caller: the number of the trace that made this request; 0 for a client.
    /// - Returns: the context of the requests that this one made; `nil` where it came to no model.
    private func model(_ part: TraceRecord.Part, calledBy caller: UInt64, in context: ServiceContext) -> ServiceContext?
    {
        guard let start = part.time(of: .requestStart), let end = part.time(of: .requestEnd) else { return nil }
        for case .model(let model) in part.entries {
            let span = tracer.startSpan(model.name, context: context, ofKind: .internal, at: instant(start))
            span.updateAttributes { attributes in
                attributes["triton.model_name"] = model.name
                attributes["triton.model_version"] = model.version
                attributes["triton.trace_id"] = Int64(clamping: part.id)
                attributes["triton.trace_parent_id"] = Int64(clamping: caller)
                if !model.requestID.isEmpty { attributes["triton.request_id"] = model.requestID }
            }
            add(part.points.filter { [.requestStart, .queueStart, .requestEnd].contains($0.point) }, to: span)
            if caller != 0, let error = part.error {
                span.setStatus(SpanStatus(code: .error, message: error.message))
            }
            if let computing = part.time(of: .computeStart), let computed = part.time(of: .computeEnd) {
                let compute = tracer.startSpan(
                    "compute", context: span.context, ofKind: .internal, at: instant(computing))
                add(part.points.filter { Self.isOfTheExecution($0.point) }, to: compute)
                compute.end(at: instant(computed))
            }
            span.end(at: instant(end))
            return span.context
        }
        return nil
    }

    private func add(_ points: [(point: TracePoint, time: UInt64)], to span: any Span) {
        for (point, time) in points { span.addEvent(SpanEvent(name: point.rawValue, at: instant(time))) }
    }

    private static func isOfTheExecution(_ point: TracePoint) -> Bool {
        [.computeStart, .computeInputEnd, .computeOutputStart, .computeEnd].contains(point)
    }

    private static func isOfTheFrontend(_ point: TracePoint) -> Bool {
        switch point {
        case .httpReceiveStart, .httpReceiveEnd, .httpSendStart, .httpSendEnd, .grpcReceiveStart, .grpcReceiveEnd,
            .grpcSendStart, .grpcSendEnd, .responseComplete:
            true
        default: false
        }
    }

    private func instant(_ time: UInt64) -> DefaultTracerClock.Timestamp {
        .init(nanosecondsSinceEpoch: epoch &+ time)
    }
}
