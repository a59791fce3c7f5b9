internal import CTriton
internal import DequeModule
internal import Glibc
internal import ModelRuntime
internal import Tensors
internal import Threads

/// A request on its way, from the moment it is handed in to its final response.
///
/// The program is called on threads of ours, one response after the other, and never while a lock of ours is held.
final class InferenceRun: Sendable {
    private struct State {
        /// The thread that hands the request in, while it does.
        var submitter: pthread_t?
        /// Why the engine did not take it, if that became known meanwhile.
        var refusal: HalcyonError?
        /// Results that came on that thread, and those behind them; `nil` where each is told at once.
        var waiting: Deque<Result<InferenceResponse, HalcyonError>>?
        var submitted: (any SubmittedRequest)?
        var isCancelled = false
        var hasEnded = false
        /// Whether the backend has done with the inputs.
        var isGivenBack = false
        /// Dropped at the end, so that the request and the trace go back.
        var lease: InputLease?
        var trace: TraceLease?
    }

    private let models: any ServedModels
    private let modelName: String
    private let modelVersion: Int64?
    private let id: String
    private let isDecoupled: Bool
    private let isDoneWhenAnswered: Bool
    private let output: ResponseOutlet
    private let callsOnCallersThread: Bool
    /// Where it is counted as long as it is under way.
    private let calls: ServerCalls?
    private let state: Locked<State>

    /// - Parameter pointer: what the program calls the request.
    /// - Throws: `invalidArgument` where the program has not said what to call.
    init(
        of request: InferenceRequestObject, _ pointer: OpaquePointer, _ callbacks: InferenceRequestObject.Callbacks,
        id: String, trace: TraceLease?
    ) throws(HalcyonError) {
        guard let release = callbacks.release else {
            throw HalcyonError(
                .invalidArgument,
                "the request has no release callback: TRITONSERVER_InferenceRequestSetReleaseCallback sets it")
        }
        guard let response = callbacks.response, let allocator = callbacks.allocator else {
            throw HalcyonError(
                .invalidArgument,
                "the request has no response callback: TRITONSERVER_InferenceRequestSetResponseCallback sets it")
        }
        models = request.server.models
        callsOnCallersThread = request.server.program?.callsOnCallersThread ?? false
        calls = request.server.calls
        modelName = request.modelName
        modelVersion = request.modelVersion
        isDecoupled = request.facts.isDecoupled
        isDoneWhenAnswered = request.facts.isDoneWhenAnswered
        self.id = id
        output = ResponseOutlet(
            server: request.server, memory: AllocatedOutputs(allocator, callbacks.allocatorUserp),
            function: response.function,
            userp: response.userp)
        let call = ReleaseCall(function: release.function, request: pointer, userp: release.userp)
        state = Locked(State(lease: InputLease(request, call), trace: trace))
    }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// - Throws: what is wrong with the request, or stands in its way: then nobody is called.
    func start(_ fields: RequestFields) throws(HalcyonError) {
        let (lease, trace) = state.withLock { state in
            state.submitter = pthread_self()
            return (state.lease, state.trace)
        }
        guard let lease else { throw HalcyonError(.internal, "the request was handed in twice") }
        calls?.begin()
        do throws(HalcyonError) {
            var request = try fields.request(of: modelName, version: modelVersion, lease: lease) {
                () throws(HalcyonError) in try models.facts(modelName, version: modelVersion)
            }
            request.trace = trace
            if !isDoneWhenAnswered { request.givenBack = { self.wasGivenBack(lease) } }
            request.outputMemory = output.memory
            let submitted = models.submit(request, from: callsOnCallersThread ? .blocking : .foreign) { self.take($0) }
            let (refusal, isCancelled) = state.withLock { state in
                state.submitter = nil
                if !state.hasEnded { state.submitted = submitted }
                return (state.refusal, state.isCancelled)
            }
            if let refusal { throw refusal }
            if isCancelled { cancel(submitted) }
        } catch {
            lease.abandon()
            calls?.end()
            let dropped = state.withLock { state in
                state.hasEnded = true
                defer { (state.lease, state.trace) = (nil, nil) }
                return (state.lease, state.trace)
            }
            withExtendedLifetime(dropped) {}
            throw error
        }
    }

    func cancel() {
        let submitted = state.withLock { state in
            if !state.hasEnded { state.isCancelled = true }
            return state.submitted
        }
        cancel(submitted)
    }

    /// Elsewhere: a request that waits is answered at once, and the program, which may be going through its requests
    /// with a lock of its own held, is not called from within its call.
    private func cancel(_ submitted: (any SubmittedRequest)?) {
        guard let submitted else { return }
        CallbackThreads.shared.run { submitted.cancel() }
    }

    // MARK: Results

    private enum Way {
        case tell
        case wait
        case callElsewhere
    }

    private func take(_ result: Result<InferenceResponse, HalcyonError>) {
        let way = state.withLock { state -> Way in
            let isOnSubmitter = state.submitter.map { pthread_equal($0, pthread_self()) != 0 } ?? false
            if isOnSubmitter, state.waiting == nil, !CallerRun.isActive, case .failure(let error) = result {
                // Known before the caller goes on: it gets the error itself, and keeps the request.
                state.refusal = error
                return .wait
            }
            guard state.waiting == nil else {
                state.waiting?.append(result)
                return .wait
            }
            guard isOnSubmitter, !callsOnCallersThread else { return .tell }
            state.waiting = [result]
            return .callElsewhere
        }
        switch way {
        case .wait: break
        case .tell: tell(result)
        case .callElsewhere: CallbackThreads.shared.run { self.tellWaiting() }
        }
    }

    private func tellWaiting() {
        while true {
            let next = state.withLock { state -> Result<InferenceResponse, HalcyonError>? in
                let next = state.waiting?.popFirst()
                if next == nil { state.waiting = nil }
                return next
            }
            guard let next else { return }
            tell(next)
        }
    }

    private func tell(_ result: Result<InferenceResponse, HalcyonError>) {
        switch result {
        case .failure(let error):
            let made = output.failure(error, model: modelName, version: modelVersion, id: id)
            finish(endsLease: false)
            output.give(made, isFinal: true)
        case .success(let response):
            if let error = response.error {
                let made = output.failure(error, model: modelName, version: modelVersion, id: id)
                return output.give(made, isFinal: false)
            }
            let isEnd = response.isFinal && isDecoupled && response.outputs.isEmpty
            let made = isEnd ? nil : output.response(response)
            if response.isFinal { finish(endsLease: isDoneWhenAnswered) }
            output.give(made, isFinal: response.isFinal)
        }
    }

    /// Nothing more comes: the request can be handed in again, and goes back when its inputs are free.
    ///
    /// - Parameter endsLease: whether the inputs are free now.
    private func finish(endsLease: Bool) {
        calls?.end()
        let dropped = state.withLock { state in
            state.hasEnded = true
            state.submitted = nil
            defer { (state.lease, state.trace) = (nil, nil) }
            return (state.lease, state.trace, endsLease || state.isGivenBack)
        }
        if dropped.2 { dropped.0?.end() }
        withExtendedLifetime(dropped) {}
    }

    /// The backend has done with the inputs: the request goes back, on this thread, when it has been answered too.
    private func wasGivenBack(_ lease: InputLease) {
        let hasEnded = state.withLock { state in
            state.isGivenBack = true
            return state.hasEnded
        }
        if hasEnded { lease.end() }
    }
}
