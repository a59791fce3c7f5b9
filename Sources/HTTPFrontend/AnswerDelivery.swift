internal import KServeProtocol
internal import ModelRuntime
internal import NIOCore
internal import NIOHTTP1
internal import Tensors
internal import Threads
internal import Transport

/// Gives a request its answer: short ones are written on the event loop, long ones by others, and all count against the
/// budget from when their values are there until the client has them.
struct AnswerDelivery: Sendable {
    let reply: HTTPReply
    /// The request's.
    let headers: HTTPHeaders
    let trace: Trace?
    let budget: ByteBudget
    let pool: WorkPool

    typealias Form = @Sendable (InferenceResult) throws(HalcyonError) -> HTTPAnswer

    /// - Parameter form: writes the answer.
    func give(_ result: Result<InferenceResult, HalcyonError>, _ form: @escaping Form) {
        do {
            let result = try result.get()
            let values = result.outputs.reduce(0) { $0 + ($1.region == nil ? $1.tensor.data.byteCount : 0) }
            let text = textByteCount(result, values)
            guard text > WorkPool.immediate else {
                // Most answers are made where they go out, and nothing of them is kept until then.
                if reply.isOnEventLoop { return reply.send(traced { counted(result, form, nil) }) }
                return reply.send { traced { counted(result, form, nil) } }
            }
            let charge = try budget.charge(values)
            pool.run(text) {
                var answer = traced { ContentCoding.encode(counted(result, form, charge), for: headers) }
                answer.prepare()
                reply.send(answer)
            }
        } catch {
            let error = HalcyonError(wrapping: error)
            reply.send { traced { HTTPService.error(error) } }
        }
    }

    /// How many bytes of values are written as a text, or compressed.
    private func textByteCount(_ result: InferenceResult, _ values: Int) -> Int {
        guard values > WorkPool.immediate / 4 else { return values }
        if ContentCoding.preferred(headers) != nil { return max(values, WorkPool.immediate + 1) }
        // What is only copied is quick.
        return result.outputs.reduce(0) {
            $0 + ($1.region == nil ? $1.tensor.data.byteCount / ($1.isBinary ? Self.copyShare : 1) : 0)
        }
    }

    private static let copyShare = 16

    /// - Parameter charge: what is counted for the values already.
    private func counted(_ result: InferenceResult, _ form: Form, _ charge: ByteBudget.Charge?) -> HTTPAnswer {
        do {
            var answer = try form(result)
            let count = answer.byteCount
            guard count > ByteBudget.uncounted else { return answer }
            let more = count - (charge?.count ?? 0)
            let rest = more > 0 ? try budget.charge(more) : nil
            answer.whenSent = { withExtendedLifetime((charge, rest)) {} }
            return answer
        } catch {
            return HTTPService.error(error)
        }
    }

    private func traced(_ make: () -> HTTPAnswer) -> HTTPAnswer {
        guard let trace else { return make() }
        trace.reached(.httpSendStart, at: NIODeadline.now().uptimeNanoseconds)
        var answer = make()
        let whenSent = answer.whenSent
        answer.whenSent = {
            trace.reached(.httpSendEnd, at: NIODeadline.now().uptimeNanoseconds)
            whenSent?()
        }
        return answer
    }
}
