internal import JSONText
internal import KServeProtocol
internal import ModelRuntime
internal import NIOHTTP1
internal import Tensors
internal import Threads
internal import Transport

/// The answers of `generate_stream`, as server-sent events: one for each response of the model.
final class GenerateStream: Sendable {
    private let reply: HTTPReply
    private let flow: ResponseFlow
    private let budget: ByteBudget
    private let hasStarted = Locked(false)

    /// - Parameter flow: the request's.
    init(_ reply: HTTPReply, flow: ResponseFlow, budget: ByteBudget) {
        self.reply = reply
        self.flow = flow
        self.budget = budget
    }

    /// Takes the next result; called by one thread at a time.
    func take(_ result: Result<InferenceResult, HalcyonError>) {
        do {
            let result = try result.get()
            if let error = result.error {
                write(Self.json(error), isError: true) { [flow] in flow.took() }
            } else if !result.isFinal {
                try event(try GenerateResponse.json(result)) { [flow] in flow.took() }
            } else {
                if !result.isEmpty { try event(try GenerateResponse.json(result)) }
                start()
                reply.end()
            }
        } catch {
            // Before the first event an error is an answer like any other, unless the model gives it.
            guard flow.modelHasFailed || hasStarted.withLock({ $0 }) else {
                return reply.send(HTTPService.error(error))
            }
            write(Self.json(error), isError: true)
            reply.end()
        }
    }

    private static func json(_ error: HalcyonError) -> [UInt8] {
        Array(ServerDocuments.error(error.message.shortened(to: HTTPService.longestMessage)).compact.utf8)
    }

    private func event(_ json: [UInt8], whenSent: (@Sendable () -> Void)? = nil) throws(HalcyonError) {
        guard json.count > ByteBudget.uncounted else { return write(json, whenSent: whenSent) }
        let charge = try budget.charge(json.count)
        write(json) {
            withExtendedLifetime(charge) {}
            whenSent?()
        }
    }

    private func write(_ json: [UInt8], isError: Bool = false, whenSent: (@Sendable () -> Void)? = nil) {
        start(isError ? .badRequest : .ok)
        reply.write(Array("data: ".utf8) + json + Array("\n\n".utf8), whenSent: whenSent)
    }

    /// - Parameter status: of what comes first; as in Triton, any error of a model is a bad request here.
    private func start(_ status: HTTPResponseStatus = .ok) {
        let isFirst = hasStarted.withLock { hasStarted in
            defer { hasStarted = true }
            return !hasStarted
        }
        guard isFirst else { return }
        var head = HTTPAnswer(status: status, contentType: "text/event-stream; charset=utf-8")
        head.headers = [("Cache-Control", "no-cache")]
        reply.start(head)
    }
}

/// The one answer of `generate` to a model that may give any number of responses.
final class GenerateOnce: Sendable {
    private let responses = Locked<[InferenceResult]>([])
    private let answer: @Sendable (Result<InferenceResult, HalcyonError>) -> Void

    init(_ answer: @escaping @Sendable (Result<InferenceResult, HalcyonError>) -> Void) { self.answer = answer }

    func take(_ result: Result<InferenceResult, HalcyonError>) {
        guard case .success(let response) = result else { return answer(result) }
        let all = responses.withLock { responses in
            // More than two are as wrong as two, and not kept.
            if !response.isEmpty, responses.count < 2 { responses.append(response) }
            return responses
        }
        guard response.isFinal else { return }
        guard all.count == 1, let only = all.first else {
            return answer(
                .failure(
                    HalcyonError(
                        .internal,
                        "generate expects model to produce exactly 1 response, use generate stream for model that "
                            + "generates various number of responses")))
        }
        if let error = only.error { return answer(.failure(error)) }
        answer(.success(only))
    }
}
