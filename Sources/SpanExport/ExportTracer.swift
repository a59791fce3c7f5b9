package import Tracing

/// A tracer of swift-distributed-tracing that sends its spans to a collector of OpenTelemetry.
package struct ExportTracer: Tracer {
    private let exporter: SpanExporter

    package init(exporter: SpanExporter) { self.exporter = exporter }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> ExportedSpan {
        ExportedSpan(
            name: operationName, kind: kind, start: instant().nanosecondsSinceEpoch, context: context(),
            exporter: exporter)
    }

    package func forceFlush() { exporter.flush() }

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let header = extractor.extract(key: "traceparent", from: carrier) else { return }
        let state = extractor.extract(key: "tracestate", from: carrier)
        if let identity = SpanIdentity(header: header, state: state) { context[SpanIdentityKey.self] = identity }
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let identity = context[SpanIdentityKey.self] else { return }
        injector.inject(identity.header, forKey: "traceparent", into: &carrier)
        if let state = identity.state { injector.inject(state, forKey: "tracestate", into: &carrier) }
    }
}
