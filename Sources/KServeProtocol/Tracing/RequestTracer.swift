package import Logging
internal import ModelRuntime
internal import Synchronization
package import Tensors
internal import Threads
package import Tracing

/// Traces requests: chooses them, and keeps the settings, which clients may change for all models or for one.
package final class RequestTracer: Sendable {
    private struct State {
        var overlay = TraceOverlay()
        var sampler: TraceSampler
        var models: [String: (overlay: TraceOverlay, sampler: TraceSampler)] = [:]
        var isClosed = false
    }

    private let defaults: TraceSettings
    private let isChangeAllowed: Bool
    private let file: TraceFile
    private let tracer: (any Tracer)?
    private let spans: TraceSpans?
    private let budget: ByteBudget
    private let state: Locked<State>
    private let ids = TraceNumbers()
    /// Whether any request may be traced; cheap to ask.
    private let isOn: Atomic<Bool>

    /// - Parameters:
    ///   - tracer: where spans go; needed in the mode `opentelemetry`.
    ///   - isChangeAllowed: whether clients may change the settings.
    ///   - budget: what traces count against until they are written.
    /// - Throws: `invalidArgument` where tracing is on and can't be done.
    package init(
        _ settings: TraceSettings, tracer: (any Tracer)? = nil, isChangeAllowed: Bool,
        budget: ByteBudget = .unlimited, log: Logger
    ) throws(HalcyonError) {
        if !settings.levels.isEmpty, let obstacle = settings.obstacle {
            throw HalcyonError(.invalidArgument, "tracing can't be done as --trace-config says: \(obstacle)")
        }
        defaults = settings
        self.isChangeAllowed = isChangeAllowed
        self.budget = budget
        self.tracer = settings.mode == .opentelemetry ? tracer : nil
        spans = self.tracer.map { TraceSpans($0) }
        file = TraceFile(path: settings.file, log: log)
        state = Locked(State(sampler: TraceSampler(settings, file: file, spans: spans, budget: budget)))
        isOn = Atomic(settings.obstacle == nil)
    }

    // MARK: Requests

    /// The trace of a request, where it is one of those to be traced.
    ///
    /// - Parameter header: the request's headers, for a trace of the caller's that this one is part of.
    package func trace(_ model: String, header: (String) -> String?) -> Trace? {
        guard isOn.load(ordering: .relaxed) else { return nil }
        var context = ServiceContext.topLevel
        if let tracer {
            let headers = TraceHeaders(parent: header("traceparent"), state: header("tracestate"))
            tracer.extract(headers, into: &context, using: TraceHeaders.Reader())
        }
        let isForced = !context.isEmpty
        let sampler = state.withLock { state -> TraceSampler? in
            let sampler = state.models[model]?.sampler ?? state.sampler
            return !state.isClosed && sampler.takesNext(isForced: isForced) ? sampler : nil
        }
        guard let sampler else { return nil }
        return Trace(sampler: sampler, context: context) { [ids] in ids.next() }
    }

    // MARK: Settings

    /// The settings of a model, or those for all.
    package func settings(_ model: String?) -> TraceSettings {
        state.withLock { state in
            (model.flatMap { state.models[$0]?.sampler } ?? state.sampler).current
        }
    }

    /// Changes the settings of a model, or those for all.
    ///
    /// - Throws: `unsupported` where clients may not; `invalidArgument` where nothing could be traced with them.
    package func change(_ model: String?, _ change: TraceChange) throws(HalcyonError) {
        guard change != TraceChange() else { return }
        guard isChangeAllowed else {
            throw HalcyonError(
                .unsupported,
                "changing the trace settings is disabled. Start the server with '--allow-trace-settings=true' to "
                    + "enable."
            )
        }
        try state.withLock { state throws(HalcyonError) in
            if let model {
                try self.change(model, change, &state)
            } else {
                var overlay = state.overlay
                overlay.apply(change)
                state.sampler = try sampler(overlay.over(defaults))
                state.overlay = overlay
                // What models have not set themselves goes along.
                for (name, entry) in state.models {
                    let settings = entry.overlay.over(state.sampler.settings)
                    if settings != entry.sampler.settings { state.models[name]?.sampler = try sampler(settings) }
                }
            }
            let isOn =
                state.sampler.settings.obstacle == nil
                || state.models.values.contains { $0.sampler.settings.obstacle == nil }
            self.isOn.store(isOn, ordering: .relaxed)
        }
    }

    private func change(_ model: String, _ change: TraceChange, _ state: inout State) throws(HalcyonError) {
        var overlay = state.models[model]?.overlay ?? TraceOverlay()
        overlay.apply(change)
        if overlay.isEmpty {
            state.models[model] = nil
        } else {
            state.models[model] = (overlay, try sampler(overlay.over(state.sampler.settings)))
        }
    }

    private func sampler(_ settings: TraceSettings) throws(HalcyonError) -> TraceSampler {
        if !settings.levels.isEmpty, let obstacle = settings.obstacle {
            throw HalcyonError(.invalidArgument, "Attempting to set invalid trace setting :\(obstacle)")
        }
        return TraceSampler(settings, file: file, spans: spans, budget: budget)
    }

    // MARK: The end

    /// Traces no more, and writes what there is.
    package func close() {
        let samplers = state.withLock { state in
            state.isClosed = true
            return [state.sampler] + state.models.values.map(\.sampler)
        }
        isOn.store(false, ordering: .relaxed)
        for sampler in samplers { sampler.flush() }
        file.close()
    }
}

/// The headers by which callers hand on their traces, for the tracer to read.
private struct TraceHeaders: Sendable {
    var parent: String?
    var state: String?

    struct Reader: Extractor {
        func extract(key: String, from carrier: TraceHeaders) -> String? {
            switch key.lowercased() {
            case "traceparent": carrier.parent
            case "tracestate": carrier.state
            default: nil
            }
        }
    }
}

/// The numbers of traces, from 1.
private final class TraceNumbers: Sendable {
    private let count = Atomic<UInt64>(1)

    func next() -> UInt64 { count.wrappingAdd(1, ordering: .relaxed).oldValue }
}
