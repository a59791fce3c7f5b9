internal import JSONText
internal import KServeProtocol
internal import ModelRuntime
internal import NIOCore
internal import NIOHTTP1
internal import Page
internal import Tensors
internal import Threads
internal import Transport

extension HTTPService {
    /// Requests that the page may send at once.
    private static let mostRequests: UInt64 = 16

    /// Between the first of the requests and the others.
    private static let spread = TimeAmount.milliseconds(2)

    private func sendRest(
        of call: InferenceCall, to target: HTTPRoute.Target, positions: Range<Int>, _ run: TryOutRun
    ) {
        for position in positions {
            do {
                let model = try find(target)
                if let handle = service.infer(call, on: model, handler: { run.take($0, of: position) }) {
                    run.hold(handle)
                }
            } catch {
                let message = (error as? HTTPConnectionError)?.message ?? HalcyonError(wrapping: error).message
                run.take(.failure(HalcyonError(.unavailable, message)), of: position)
            }
        }
    }

    func pageFile(_ name: String) -> HTTPAnswer {
        guard let file = PageFiles.file(name) else { return Self.plainError(.notFound, "Not Found") }
        var answer = HTTPAnswer(status: .ok, contentType: file.contentType, head: file.bytes)
        answer.headers = PageFiles.headers
        return answer
    }

    /// Sends the same request several times at once, and answers with the first answer and the time of each.
    func tryOut(_ request: HTTPRequest, _ target: HTTPRoute.Target, _ reply: HTTPReply) {
        do {
            let count = try QueryParameters(request.uri).number("requests") ?? 1
            guard (1...Self.mostRequests).contains(count) else {
                throw HalcyonError(
                    .invalidArgument, "'requests' is a number from 1 to \(Self.mostRequests), got \(count)")
            }
            let model = try find(target)
            var call = try readCall(request, target, model)
            headers?.add(to: &call.request, from: request.headers)
            let run = TryOutRun(count: Int(count)) { [service] results in
                service.pool.run(results.textByteCount) { reply.send(results.answer) }
            }
            if let handle = service.infer(call, on: model, handler: { run.take($0, of: 0) }) { run.hold(handle) }
            reply.onCancel { run.cancel() }
            guard count > 1 else { return }
            // An idle instance takes the first; what others send at the same time reaches a server a little later too.
            request.eventLoop.scheduleTask(in: Self.spread) { [self, call] in
                sendRest(of: call, to: target, positions: 1..<Int(count), run)
            }
        } catch let error as HTTPConnectionError {
            reply.send(Self.plainError(error.status, error.message))
        } catch {
            reply.send(Self.error(HalcyonError(wrapping: error)))
        }
    }
}
