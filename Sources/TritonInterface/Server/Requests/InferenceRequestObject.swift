internal import CTriton
internal import ModelRuntime
internal import Tensors
internal import Threads

/// A request that C programs hold. What it says may be changed at any time, and counts for the next time it is handed
/// in.
package final class InferenceRequestObject: TritonObject, @unchecked Sendable {
    /// What a program is called with.
    struct Callbacks: @unchecked Sendable {
        var release: (function: TRITONSERVER_InferenceRequestReleaseFn_t, userp: UnsafeMutableRawPointer?)?
        var response: (function: TRITONSERVER_InferenceResponseCompleteFn_t, userp: UnsafeMutableRawPointer?)?
        var allocator: ResponseAllocatorObject?
        var allocatorUserp: UnsafeMutableRawPointer?
    }

    struct State: Sendable {
        var fields = RequestFields()
        var callbacks = Callbacks()
        /// The last time that it was handed in; `nil` for never.
        var run: InferenceRun?
        var isDeleted = false
        /// What was handed out as C reads it; the pointers stay valid until it changes.
        var idText: CText?
        var correlationText: CText?

        mutating func text(_ kept: WritableKeyPath<State, CText?>, _ text: String) -> UnsafePointer<CChar> {
            if let known = self[keyPath: kept], String(cString: known.pointer) == text { return known.pointer }
            let fresh = CText(text)
            self[keyPath: kept] = fresh
            return fresh.pointer
        }
    }

    package override class var kind: HandleKind { .inferenceRequest }

    let server: ServerObject
    let modelName: String
    /// `nil` for whichever the model's policy says.
    let modelVersion: Int64?
    /// What was known of the model when the request was made.
    let facts: ModelFacts
    private let state = Locked(State())

    /// - Throws: `notFound` or `unavailable` for a model that is not served.
    init(on server: ServerObject, model: String, version: Int64?) throws(HalcyonError) {
        facts = try server.models.facts(model, version: version)
        self.server = server
        modelName = model
        modelVersion = version
        super.init()
    }

    func read<Value>(_ body: (State) throws(HalcyonError) -> Value) throws(HalcyonError) -> Value {
        try state.withLock { state throws(HalcyonError) in try body(state) }
    }

    func change<Value>(_ body: (inout State) throws(HalcyonError) -> Value) throws(HalcyonError) -> Value {
        try state.withLock { state throws(HalcyonError) in try body(&state) }
    }

    var isDeleted: Bool { state.withLock { $0.isDeleted } }

    /// The program holds it no more, and it can't be given back.
    func delete() { state.withLock { $0.isDeleted = true } }

    /// The last time that it was handed in.
    ///
    /// - Parameter deed: what the program wants of it.
    /// - Throws: `internal`, as in Triton, where it never was.
    func lastRun(_ deed: String) throws(HalcyonError) -> InferenceRun {
        guard let run = state.withLock({ $0.run }) else {
            throw HalcyonError(
                .internal, "It is not possible to \(deed) before calling TRITONSERVER_InferAsync.")
        }
        return run
    }

    // MARK: Handing in

    /// Hands the request in.
    ///
    /// - Parameters:
    ///   - pointer: what the program calls it.
    ///   - trace: whom to tell how far it comes.
    /// - Throws: whatever is wrong with the request, or stands in its way, before the server has taken it.
    func submit(_ pointer: OpaquePointer, to server: ServerObject, trace: TraceLease?) throws(HalcyonError) {
        guard server === self.server else {
            throw HalcyonError(
                .invalidArgument, "the request for model '\(modelName)' was made for another server than this")
        }
        let (run, fields) = try change { state throws(HalcyonError) in
            if let run = state.run, !run.hasEnded {
                throw HalcyonError(
                    .invalidArgument,
                    "the request for model '\(modelName)' is under way already: hand it in again when its final "
                        + "response has come")
            }
            let run = try InferenceRun(of: self, pointer, state.callbacks, id: state.fields.id, trace: trace)
            state.run = run
            return (run, state.fields)
        }
        do throws(HalcyonError) {
            try run.start(fields)
        } catch {
            _ = try? change { state in if state.run === run { state.run = nil } }
            throw error
        }
    }
}
