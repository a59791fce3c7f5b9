internal import KServeProtocol
internal import ModelRuntime
internal import Tensors
internal import Threads

/// A `ModelStreamInfer` call: requests and responses until the client is through. Errors of a request are answers of
/// the stream, which goes on. Responses come in the order of their requests, except for decoupled models, whose come as
/// they are made.
final class GRPCInferenceStream: Sendable {
    private struct Answer {
        /// `nil` for a request that has no more to say.
        var message: GRPCFrame?
        var whenSent: (@Sendable () -> Void)?

        /// Has something done when it has been sent, or nobody takes it; at once where there is nothing to send.
        func followed(by next: @escaping @Sendable () -> Void) -> Answer {
            guard message != nil else {
                next()
                return self
            }
            let whenSent = whenSent
            return Answer(message: message) {
                whenSent?()
                next()
            }
        }
    }

    private struct State {
        /// Answers that wait for an earlier one, by number.
        var waiting: [Int: Answer] = [:]
        var received = 0
        var sent = 0
        var isEnded = false
    }

    private let service: GRPCService
    private let call: GRPCCall
    /// Of all decoupled requests of the call, as they share its way back.
    private let flow: ResponseFlow
    private let state = Locked(State())

    /// Requests of one call that are under way at a time; further ones wait in the connection.
    private static let requestLimit = 1000

    /// Whether there are as many requests under way as there may be; ``GRPCCall/takeMore()`` says when no more.
    var isFull: Bool { state.withLock { $0.received - $0.sent >= Self.requestLimit } }

    init(service: GRPCService, call: GRPCCall, options: GRPCOptions) {
        flow = ResponseFlow(countLimit: options.maximumPendingResponses)
        self.service = service
        self.call = call
    }

    func receive(_ message: TensorBuffer) {
        let number = state.withLock { state in
            defer { state.received += 1 }
            return state.received
        }
        service.infer(message, number: number, call: call, flow: flow) { [self] terms, result in
            let isFinal = (try? result.get())?.isFinal ?? true
            guard terms.isDecoupled else { return finish(number, terms, result) }
            let answer = answer(on: terms, result)
            send(isFinal ? answer : answer.followed { [flow] in flow.took() })
            if isFinal { finish(number, Answer()) }
        }
    }

    /// The one response of a request; a long one is compressed by others, as its place is kept.
    private func finish(
        _ number: Int, _ terms: GRPCService.AnswerTerms, _ result: Result<InferenceResult, HalcyonError>
    ) {
        let count = call.compression == nil ? 0 : (try? result.get()).map(GRPCService.byteCount) ?? 0
        guard count > WorkPool.immediate / 4 else { return finish(number, answer(on: terms, result)) }
        service.service.pool.run(count) { [self] in finish(number, answer(on: terms, result)) }
    }

    /// What to send; nothing for an end that the client does not want to hear of.
    private func answer(
        on terms: GRPCService.AnswerTerms, _ result: Result<InferenceResult, HalcyonError>
    ) -> Answer {
        let saysEnd = terms.wantsEnd || terms.isDecoupled
        GRPCService.noteSending(terms.trace)
        let whenSent = terms.trace.map(GRPCService.noteSent)
        do {
            let result = try result.get()
            guard !result.isEmpty || terms.wantsEnd else { return Answer(whenSent: whenSent) }
            if let error = result.error {
                return Answer(
                    message: try call.frame(Self.message(error.message, terms.id, isFinal: saysEnd ? false : nil)),
                    whenSent: whenSent)
            }
            let message = InferenceProtobufWriter.stream(
                InferenceProtobufWriter.message(result, isFinal: saysEnd ? result.isFinal : nil))
            return Answer(
                message: try call.frame(message), whenSent: try service.counted(result, then: whenSent))
        } catch {
            let status = error as? GRPCStatus
            let message = Self.message(
                status?.message ?? HalcyonError(wrapping: error).message, terms.id, isFinal: saysEnd ? true : nil)
            return Answer(message: try? call.frame(message), whenSent: whenSent)
        }
    }

    /// Bytes of an error's text that are sent: what it repeats of a request may be long.
    private static let longestMessage = 4 << 10

    private static func message(
        _ error: String, _ id: String, isFinal: Bool?
    ) -> InferenceProtobufWriter.Message {
        InferenceProtobufWriter.streamError(error.shortened(to: longestMessage), id: id, isFinal: isFinal)
    }

    /// Sends out of the order of requests.
    private func send(_ answer: Answer) {
        guard let message = answer.message else { return }
        state.withLock { _ in call.sendInTurn(message, whenSent: answer.whenSent) }
    }

    private func finish(_ number: Int, _ answer: Answer) {
        // Handed to the event loop under the lock, so that two threads can't do so in the wrong order.
        let makesRoom = state.withLock { state in
            let wasFull = state.received - state.sent >= Self.requestLimit
            state.waiting[number] = answer
            while let ready = state.waiting.removeValue(forKey: state.sent) {
                state.sent += 1
                if let message = ready.message { call.sendInTurn(message, whenSent: ready.whenSent) }
            }
            if state.isEnded, state.sent == state.received { call.finishInTurn() }
            return wasFull && state.received - state.sent < Self.requestLimit
        }
        if makesRoom { call.takeMore() }
    }

    func endOfRequests() {
        state.withLock { state in
            state.isEnded = true
            if state.sent == state.received { call.finishInTurn() }
        }
    }
}
