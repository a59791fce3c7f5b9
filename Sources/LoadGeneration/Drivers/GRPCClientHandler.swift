internal import NIOCore
internal import Tensors

/// A connection of HTTP/2 as a client of gRPC has it.
final class GRPCClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var client: HTTP2Client
    private var received = ByteBuffer()
    /// What is to be sent; a connection begins with its preface.
    private var output = HTTP2Client.preface()
    private var events: [HTTP2Client.Event] = []
    private var context: ChannelHandlerContext?
    private var fault: HalcyonError?
    private let happened: (HTTP2Client.Event) -> Void
    private let closed: (_ reason: String, _ calls: [Int]) -> Void

    /// - Parameter closed: is called once, with the reason and the calls that got no answer.
    init(
        keepsBodies: Bool, isStreaming: Bool, happened: @escaping (HTTP2Client.Event) -> Void,
        closed: @escaping (_ reason: String, _ calls: [Int]) -> Void
    ) {
        client = HTTP2Client(keepsBodies: keepsBodies, isStreaming: isStreaming)
        self.happened = happened
        self.closed = closed
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Whether another call can be made; else the connection closes when those under way are over.
    var takesCalls: Bool { client.farewell == nil }

    func call(_ number: Int, _ headers: HeaderBlock, _ message: ByteBuffer) {
        client.begin(call: number, headers, message, output: &output)
    }

    /// Sends what has come together.
    func flush() {
        guard output.readableBytes > 0, let context else { return }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        // Written buffers belong to the channel until they are gone.
        output = context.channel.allocator.buffer(capacity: min(output.writerIndex, 1 << 16))
    }

    func close() { context?.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        do throws(HalcyonError) {
            try client.receive(&received, output: &output, &events)
        } catch {
            fault = error
        }
        if received.readableBytes == 0 { received = ByteBuffer() }
        let happened = events
        events.removeAll(keepingCapacity: true)
        for event in happened { self.happened(event) }
        if fault != nil || (client.farewell != nil && client.isIdle) { context.close(promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) { flush() }

    func channelInactive(context: ChannelHandlerContext) {
        closed(fault?.message ?? client.farewell ?? "the server closed the connection", client.openCalls)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if fault == nil { fault = HalcyonError(.unavailable, ConnectError.text(error)) }
        context.close(promise: nil)
    }
}
