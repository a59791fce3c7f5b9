internal import ModelRuntime
internal import Tracing

/// Chooses the requests to trace for one state of the settings, and takes in their traces.
///
/// A change of the settings makes a new one; traces that are under way still go to theirs.
final class TraceSampler: Sendable {
    private struct State {
        var seen = 0
        /// Traces to come; −1 for no end.
        var remaining: Int
        var underWay = 0
        /// Traces for the next numbered file.
        var text: [UInt8] = []
        var traces = 0
    }

    let settings: TraceSettings
    private let file: TraceFile
    private let spans: TraceSpans?
    private let state: Locked<State>

    init(_ settings: TraceSettings, file: TraceFile, spans: TraceSpans?) {
        self.settings = settings
        self.file = file
        self.spans = spans
        state = Locked(State(remaining: settings.count))
    }

    deinit { flush() }

    /// The settings with the traces that are left of the count.
    var current: TraceSettings {
        var settings = settings
        settings.count = state.withLock { $0.remaining }
        return settings
    }

    /// Whether the next request is traced.
    ///
    /// - Parameter isForced: where the caller traces the request itself, and rate and count do not matter.
    func takesNext(isForced: Bool) -> Bool {
        guard settings.obstacle == nil else { return false }
        return state.withLock { state in
            if isForced {
                state.underWay += 1
                return true
            }
            guard settings.rate > 0 else { return false }
            state.seen += 1
            guard state.seen % settings.rate == 0, state.remaining != 0 else { return false }
            if state.remaining > 0 { state.remaining -= 1 }
            state.underWay += 1
            return true
        }
    }

    func collect(_ record: TraceRecord, context: ServiceContext) {
        if let spans {
            state.withLock { $0.underWay -= 1 }
            return spans.emit(record, context: context)
        }
        let text = TraceJSON.text(record)
        if settings.logFrequency == 0, settings.count < 0 {
            if !text.isEmpty { file.append(text) }
            state.withLock { $0.underWay -= 1 }
            return
        }
        let isFull = state.withLock { state in
            state.underWay -= 1
            if !text.isEmpty {
                if state.traces > 0 { state.text.append(UInt8(ascii: ",")) }
                state.text += text
                state.traces += 1
            }
            return (state.remaining == 0 && state.underWay == 0)
                || (settings.logFrequency > 0 && state.traces >= settings.logFrequency)
        }
        if isFull { writeNumbered() }
    }

    private func writeNumbered() {
        let text = state.withLock { state in
            defer { (state.text, state.traces) = ([], 0) }
            return state.text
        }
        if !text.isEmpty { file.writeNumbered(text) }
    }

    /// Writes what has come, without waiting for more.
    func flush() {
        if settings.logFrequency > 0 { return writeNumbered() }
        let text = state.withLock { state in
            defer { (state.text, state.traces) = ([], 0) }
            return state.text
        }
        if !text.isEmpty { file.append(text) }
    }
}
