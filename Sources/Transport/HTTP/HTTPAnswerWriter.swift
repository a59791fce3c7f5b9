internal import NIOCore
internal import NIOHTTP1
internal import Tensors

/// Writes answers into the pipeline of a connection.
struct HTTPAnswerWriter {
    private let context: ChannelHandlerContext

    init(_ context: ChannelHandlerContext) { self.context = context }

    /// What a buffer of the transport can hold.
    static let maximumSize = Int(Int32.max)

    static func tooLarge(_ answer: HTTPAnswer) -> HTTPConnectionError {
        HTTPConnectionError(
            .internalServerError,
            "the answer of \(answer.byteCount) bytes is over \(maximumSize), the most that is sent")
    }

    /// A whole answer.
    func write(_ answer: HTTPAnswer, _ delivery: HTTPConnection.Delivery) {
        let count = answer.byteCount
        var headers = HTTPHeaders()
        headers.reserveCapacity(answer.headers.count + 3)
        headers.add(name: "Content-Type", value: answer.contentType)
        headers.add(name: "Content-Length", value: String(count))
        for header in answer.headers { headers.add(name: header.name, value: header.value) }
        if !delivery.keepsAlive {
            headers.add(name: "Connection", value: "close")
        } else if !delivery.version.isModern {
            headers.add(name: "Connection", value: "keep-alive")
        }
        write(.head(HTTPResponseHead(version: delivery.version, status: answer.status, headers: headers)))
        if count > 0, !delivery.isHead {
            write(.body(.byteBuffer(answer.body(context.channel.allocator))))
        }
        guard let whenSent = answer.whenSent else { return context.writeAndFlush(wrap(.end(nil)), promise: nil) }
        context.writeAndFlush(wrap(.end(nil))).whenComplete { _ in whenSent() }
    }

    /// The head of an answer that comes in pieces.
    func writeHead(_ answer: HTTPAnswer, _ delivery: HTTPConnection.Delivery) {
        var headers = HTTPHeaders([("Content-Type", answer.contentType)])
        for header in answer.headers { headers.add(name: header.name, value: header.value) }
        if delivery.version.isModern { headers.add(name: "Transfer-Encoding", value: "chunked") }
        headers.add(name: "Connection", value: delivery.keepsAlive ? "keep-alive" : "close")
        let head = HTTPResponseHead(version: delivery.version, status: answer.status, headers: headers)
        context.writeAndFlush(wrap(.head(head)), promise: nil)
    }

    private func write(_ part: HTTPServerResponsePart) { context.write(wrap(part), promise: nil) }

    private func wrap(_ part: HTTPServerResponsePart) -> NIOAny { NIOAny(part) }
}
