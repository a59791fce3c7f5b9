internal import ModelRuntime
internal import Tensors
internal import Threads
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
        /// The numbered file that traces go to, and how many are in it.
        var part: Int?
        var traces = 0
    }

    let settings: TraceSettings
    private let file: TraceFile
    private let spans: TraceSpans?
    private let budget: ByteBudget
    private let state: Locked<State>

    /// - Parameter budget: what the tensors of traces count against until they are written.
    init(_ settings: TraceSettings, file: TraceFile, spans: TraceSpans?, budget: ByteBudget) {
        self.budget = budget
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
        guard settings.logFrequency > 0 || settings.count >= 0 else {
            state.withLock { $0.underWay -= 1 }
            return file.append(to: .main) { TraceJSON.text(record) }
        }
        let (part, isFull) = state.withLock { state in
            state.underWay -= 1
            let part = state.part ?? file.newPart()
            state.part = part
            state.traces += 1
            let isFull =
                (state.remaining == 0 && state.underWay == 0)
                || (settings.logFrequency > 0 && state.traces >= settings.logFrequency)
            if isFull { (state.part, state.traces) = (nil, 0) }
            return (part, isFull)
        }
        file.append(to: .part(part)) { TraceJSON.text(record) }
        if isFull { file.end(part: part, becomesMain: false) }
    }

    /// Room for a tensor in a trace; `nil` where the server holds too many bytes already.
    func charge(_ byteCount: Int) -> ByteBudget.Charge? {
        do {
            return try budget.charge(byteCount)
        } catch {
            file.lost()
            return nil
        }
    }

    /// Ends the file that traces go to, without waiting for more.
    func flush() {
        let part = state.withLock { state in
            defer { (state.part, state.traces) = (nil, 0) }
            return state.part
        }
        if let part { file.end(part: part, becomesMain: settings.logFrequency == 0) }
    }
}
