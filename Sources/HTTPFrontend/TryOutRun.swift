internal import Halcyon
internal import JSONText
internal import KServeProtocol
internal import ModelRuntime
internal import NIOHTTP1
internal import Tensors
internal import Threads
internal import Transport

/// Several requests that were sent at once, until the last has its answer.
final class TryOutRun: Sendable {
    /// What came of them.
    struct Results: Sendable {
        fileprivate(set) var first: Result<InferenceResult, HalcyonError>?
        fileprivate var durations: [Duration?]
        fileprivate var errors: [HalcyonError?]

        /// Bytes of the first answer's values.
        var textByteCount: Int {
            guard case .success(let result)? = first else { return 0 }
            return result.outputs.reduce(0) { $0 + $1.tensor.data.byteCount }
        }

        /// An error where the first request has one.
        var answer: HTTPAnswer {
            do {
                guard let first else { throw HalcyonError(.internal, "no request has been answered") }
                let result = try first.get()
                let writer = try InferenceJSONWriter(result)
                guard writer.binary.isEmpty else {
                    throw HalcyonError(.invalidArgument, "the page takes outputs as JSON: leave binary_data out")
                }
                let rest: JSONValue = .array(zip(durations, errors).map(Self.member))
                let head = Array("{\"answer\":".utf8) + writer.json + Array(",\"requests\":".utf8)
                return HTTPAnswer(status: .ok, head: head + Array(rest.compact.utf8) + Array("}".utf8))
            } catch {
                return HTTPService.error(HalcyonError(wrapping: error))
            }
        }

        private static func member(_ duration: Duration?, _ error: HalcyonError?) -> JSONValue {
            var members: [JSONValue.Member] = [
                .init("microseconds", duration.map { .number($0 / .microseconds(1)) } ?? .null)
            ]
            if let error { members.append(.init("error", .string(error.message.shortened(to: 1000)))) }
            return .object(members)
        }
    }

    private struct State {
        var results: Results
        var left: Int
        var handles: [InferenceHandle] = []
        var isCancelled = false
    }

    private let start = ContinuousClock.now
    private let state: Locked<State>
    private let done: @Sendable (Results) -> Void

    init(count: Int, done: @escaping @Sendable (Results) -> Void) {
        state = Locked(
            State(
                results: Results(
                    durations: Array(repeating: nil, count: count), errors: Array(repeating: nil, count: count)),
                left: count))
        self.done = done
    }

    /// Takes an answer; of a model with any number of responses to a request, the last.
    func take(_ result: Result<InferenceResult, HalcyonError>, of position: Int) {
        let duration = ContinuousClock.now - start
        var result = result
        // What a model says after an error is of no interest here, but the run waits for its end.
        let isFinal = (try? result.get())?.isFinal ?? true
        if case .success(let response) = result, let error = response.error { result = .failure(error) }
        let results = state.withLock { [result] state -> Results? in
            if position == 0, state.results.first == nil { state.results.first = result }
            if case .failure(let error) = result { state.results.errors[position] = error }
            guard isFinal else { return nil }
            state.results.durations[position] = duration
            state.left -= 1
            return state.left == 0 ? state.results : nil
        }
        if let results { done(results) }
    }

    func hold(_ handle: InferenceHandle) {
        let isCancelled = state.withLock { state in
            state.handles.append(handle)
            return state.isCancelled
        }
        if isCancelled { handle.cancel() }
    }

    /// The page has gone.
    func cancel() {
        let handles = state.withLock { state in
            state.isCancelled = true
            return state.handles
        }
        for handle in handles { handle.cancel() }
    }
}
