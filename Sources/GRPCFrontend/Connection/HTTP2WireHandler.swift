internal import NIOCore
internal import Transport

/// Sits between the HTTP/2 implementation and the socket, and sees the frames that go out.
final class HTTP2WireHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var cursor = HTTP2FrameCursor()
    private var context: ChannelHandlerContext?
    private var isEnding = false

    /// Whether the client has been told that the connection ends for an error.
    var hasSentError: Bool { cursor.hasSeenError }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        cursor.take(unwrapOutboundIn(data))
        context.write(data, promise: promise)
    }

    /// What comes when the connection is about to close is read over.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isEnding { context.fireChannelRead(data) }
    }

    /// Writes a GOAWAY that names the highest stream there is and no error. The HTTP/2 implementation is not told: it
    /// would refuse the streams that are on their way.
    func announceEnd() {
        guard let context else { return }
        var frame = context.channel.allocator.buffer(capacity: 17)
        frame.writeBytes([0, 0, 8, 7, 0, 0, 0, 0, 0])
        frame.writeInteger(UInt32(Int32.max))
        frame.writeInteger(UInt32(0))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    /// Closes the connection when the system has taken everything that was written.
    ///
    /// - Parameter patience: how long a client may take none of it.
    func closeWhenFlushed(patience: TimeAmount) {
        isEnding = true
        context?.closeWhenFlushed(patience: patience)
    }
}
