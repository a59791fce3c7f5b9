internal import KServeProtocol
internal import ModelRuntime
internal import Tensors

/// A `ModelStreamInfer` call: requests and responses until the client is through. Errors of a request are answers of the
/// stream, which goes on. Responses come in the order of their requests.
final class GRPCInferenceStream: Sendable {
    private struct Answer {
        var message: InferenceProtobufWriter.Message
        var whenSent: (@Sendable () -> Void)?
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
        let call = call
        service.infer(message, number: number, call: call) { request, result in
            let isFinal: Bool? = request?.message.parameters.wantsEmptyFinalResponse == true ? true : nil
            GRPCService.noteSending(request?.trace)
            let answer =
                switch result {
                case .success(let result):
                    InferenceProtobufWriter.stream(InferenceProtobufWriter.message(result, isFinal: isFinal))
                case .failure(let error):
                    InferenceProtobufWriter.streamError(error.message, id: request?.message.id ?? "", isFinal: isFinal)
                }
            self.finish(number, Answer(message: answer, whenSent: request?.trace.map(GRPCService.noteSent)))
        }
    }

    private func finish(_ number: Int, _ answer: Answer) {
        // Handed to the event loop under the lock, so that two threads can't do so in the wrong order.
        state.withLock { state in
            state.waiting[number] = answer
            while let ready = state.waiting.removeValue(forKey: state.sent) {
                state.sent += 1
                call.sendInTurn(ready.message, whenSent: ready.whenSent)
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
