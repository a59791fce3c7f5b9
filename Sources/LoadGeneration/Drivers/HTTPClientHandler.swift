internal import NIOCore
internal import Tensors

/// A connection of HTTP/1.1 as its client has it: bytes that are a request go out, responses come back.
final class HTTPClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var scanner: HTTPResponseScanner
    private var received = ByteBuffer()
    private var context: ChannelHandlerContext?
    private var fault: HalcyonError?
    private let answered: (HTTPAnswer) -> Void
    private let closed: (String) -> Void

    /// - Parameters:
    ///   - answered: gets each response, on the loop.
    ///   - closed: is called once, with the reason.
    init(
        keepsBodies: Bool, answered: @escaping (HTTPAnswer) -> Void, closed: @escaping (String) -> Void
    ) {
        scanner = HTTPResponseScanner(keepsBodies: keepsBodies)
        self.answered = answered
        self.closed = closed
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func send(_ request: ByteBuffer) { context?.write(wrapOutboundOut(request), promise: nil) }
    func flush() { context?.flush() }
    func close() { context?.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        do throws(HalcyonError) {
            while received.readableBytes > 0, let answer = try scanner.next(&received) {
                answered(answer)
                if !answer.keepsAlive { return context.close(promise: nil) }
            }
            if received.readableBytes == 0 { received = ByteBuffer() }
        } catch {
            fault = error
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func channelInactive(context: ChannelHandlerContext) {
        closed(fault?.message ?? "the server closed the connection")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if fault == nil { fault = HalcyonError(.unavailable, ConnectError.text(error)) }
        context.close(promise: nil)
    }
}
