internal import KServeProtocol
internal import ModelRuntime
internal import Tensors

/// A `ModelStreamInfer` call: requests and responses until the client is through. Errors of a request are answers of the
/// stream, which goes on. Responses come in the order of their requests, but for decoupled models, whose come as they are
/// made.
final class GRPCInferenceStream: Sendable {
    private struct Answer {
        /// `nil` for a request that has no more to say.
        var message: InferenceProtobufWriter.Message?
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
    private let flow = ResponseFlow()
    private let state = Locked(State())

    init(service: GRPCService, call: GRPCCall) {
        self.service = service
        self.call = call
    }

    func receive(_ message: Buffer) {
        let number = state.withLock { state in
            defer { state.received += 1 }
            return state.received
        }
        service.infer(message, number: number, call: call, flow: flow) { [flow] request, result in
            let isFinal = (try? result.get())?.isFinal ?? true
            let answer = Self.answer(to: request, result)
            if request?.isDecoupled == true {
                self.send(isFinal ? answer : answer.followed { flow.took() })
                if isFinal { self.finish(number, Answer()) }
            } else {
                self.finish(number, answer)
            }
        }
    }

    /// What to send; nothing for an end that the client does not want to hear of.
    private static func answer(
        to request: GRPCService.ReceivedRequest?, _ result: Result<InferenceResult, HalcyonError>
    ) -> Answer {
        let wantsEnd = request?.message.parameters.wantsEmptyFinalResponse == true
        let saysEnd = wantsEnd || request?.isDecoupled == true
        GRPCService.noteSending(request?.trace)
        let message: InferenceProtobufWriter.Message?
        switch result {
        case .success(let result) where result.isEmpty && !wantsEnd: message = nil
        case .success(let result):
            message = InferenceProtobufWriter.stream(
                InferenceProtobufWriter.message(result, isFinal: saysEnd ? result.isFinal : nil))
        case .failure(let error):
            message = InferenceProtobufWriter.streamError(
                error.message, id: request?.message.id ?? "", isFinal: saysEnd ? true : nil)
        }
        return Answer(message: message, whenSent: request?.trace.map(GRPCService.noteSent))
    }

    /// Sends out of the order of requests.
    private func send(_ answer: Answer) {
        guard let message = answer.message else { return }
        state.withLock { _ in call.sendInTurn(message, whenSent: answer.whenSent) }
    }

    private func finish(_ number: Int, _ answer: Answer) {
        // Handed to the event loop under the lock, so that two threads can't do so in the wrong order.
        state.withLock { state in
            state.waiting[number] = answer
            while let ready = state.waiting.removeValue(forKey: state.sent) {
                state.sent += 1
                if let message = ready.message { call.sendInTurn(message, whenSent: ready.whenSent) }
            }
            if state.isEnded, state.sent == state.received { call.finishInTurn() }
        }
    }

    func endOfRequests() {
        state.withLock { state in
            state.isEnded = true
            if state.sent == state.received { call.finishInTurn() }
        }
    }
}
