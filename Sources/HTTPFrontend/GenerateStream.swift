internal import KServeProtocol
internal import NIOHTTP1
internal import Tensors
internal import Transport

/// Answers of `generate_stream`, as server-sent events.
enum GenerateStream {
    static func send(_ result: Result<InferenceResult, HalcyonError>, to reply: HTTPReply) {
        do {
            let json = try GenerateResponse.json(try result.get())
            var head = HTTPAnswer(status: .ok, contentType: "text/event-stream; charset=utf-8")
            head.headers = [("Cache-Control", "no-cache")]
            reply.start(head)
            reply.write(Array("data: ".utf8) + json + Array("\n\n".utf8))
            reply.end()
        } catch {
            reply.send(HTTPFrontend.error(error))
        }
    }
}
