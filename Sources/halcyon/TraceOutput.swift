internal import KServeProtocol
internal import Logging
internal import NIOCore
internal import SpanExport
internal import Tensors
internal import Tracing

/// Where traces go: a file, or as spans to a collector.
struct TraceOutput {
    let tracer: RequestTracer
    private let exporter: SpanExporter?

    /// - Throws: `invalidArgument` for settings that can't be.
    init(
        _ flags: TraceFlags, on group: any EventLoopGroup, budget: ByteBudget, log: Logger
    ) throws(HalcyonError) {
        let parsed = try flags.parsed()
        let exporter =
            parsed.settings.mode == .opentelemetry
            ? try SpanExporter(parsed.export, on: group.next(), log: log) : nil
        let spans = exporter.map { ExportTracer(exporter: $0) }
        // Code of the application's own, backends for instance, traces into the same.
        if let spans { InstrumentationSystem.bootstrap(spans) }
        self.exporter = exporter
        tracer = try RequestTracer(
            parsed.settings, tracer: spans, isChangeAllowed: flags.allowTraceSettings.isOn, budget: budget,
            log: log)
    }

    /// Sends what there is, while the event loops still run.
    func sendSpans() async { await exporter?.close() }

    /// Writes what there is, and takes no more.
    func close() { tracer.close() }
}
