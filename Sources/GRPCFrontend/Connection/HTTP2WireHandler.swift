internal import NIOCore
internal import Transport

/// Sits between the HTTP/2 implementation and the socket. It sees the frames that go out, and hands on those that come
/// in a number at a time, so that a client that sends many short ones holds up nobody.
final class HTTP2WireHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var cursor = HTTP2FrameCursor()
    private var context: ChannelHandlerContext?
    /// Short writes since the last flush: an answer is half a dozen of them, which go to the system as one.
    private var gathered = ByteBuffer()
    private var isEnding = false
    private var slicer = HTTP2FrameSlicer()
    /// What has come and is not handed on yet; nothing more is read meanwhile.
    private var waiting = ByteBuffer()
    private var wantsRead = false

    /// Bytes up to which copying a write costs less than handing it on.
    private static let shortWrite = 2 << 10
    private static let longestGathered = 32 << 10

    /// Frames that are handed on before others have their turn.
    static let framesAtATime = 128
    /// What is handed to an event loop at once comes before its connections; only what comes later lets them go first.
    private static let pause = TimeAmount.microseconds(50)

    /// Whether the client has been told that the connection ends for an error.
    var hasSentError: Bool { cursor.hasSeenError }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var bytes = unwrapOutboundIn(data)
        cursor.take(bytes)
        guard promise == nil, bytes.readableBytes <= Self.shortWrite else {
            writeGathered(context)
            return context.write(data, promise: promise)
        }
        if gathered.readableBytes == 0 {
            gathered = bytes
        } else {
            gathered.writeBuffer(&bytes)
        }
        if gathered.readableBytes > Self.longestGathered { writeGathered(context) }
    }

    func flush(context: ChannelHandlerContext) {
        writeGathered(context)
        context.flush()
    }

    private func writeGathered(_ context: ChannelHandlerContext) {
        guard gathered.readableBytes > 0 else { return }
        context.write(wrapOutboundOut(gathered), promise: nil)
        gathered = ByteBuffer()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        writeGathered(context)
        context.close(mode: mode, promise: promise)
    }

    /// What comes when the connection is about to close is read over.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnding else { return }
        var bytes = unwrapInboundIn(data)
        guard waiting.readableBytes == 0 else {
            waiting.writeBuffer(&bytes)
            return
        }
        let slice = slicer.slice(&bytes, frames: Self.framesAtATime)
        if bytes.readableBytes > 0 { wait(bytes, context) }
        context.fireChannelRead(wrapInboundOut(slice))
    }

    func channelInactive(context: ChannelHandlerContext) {
        waiting = ByteBuffer()
        context.fireChannelInactive()
    }

    func read(context: ChannelHandlerContext) {
        wantsRead = waiting.readableBytes > 0
        if !wantsRead { context.read() }
    }

    private func wait(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        waiting = bytes
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) { handler.value.goOn() }
    }

    private func goOn() {
        guard let context, !isEnding, waiting.readableBytes > 0 else { return waiting = ByteBuffer() }
        var bytes = waiting
        waiting = ByteBuffer()
        let slice = slicer.slice(&bytes, frames: Self.framesAtATime)
        if bytes.readableBytes > 0 { wait(bytes, context) }
        context.fireChannelRead(wrapInboundOut(slice))
        context.fireChannelReadComplete()
        guard wantsRead, waiting.readableBytes == 0 else { return }
        wantsRead = false
        context.read()
    }

    /// Writes a GOAWAY that names the highest stream there is and no error. The HTTP/2 implementation is not told: it
    /// would refuse the streams that are on their way.
    func announceEnd() {
        guard let context else { return }
        var frame = context.channel.allocator.buffer(capacity: 17)
        frame.writeBytes([0, 0, 8, 7, 0, 0, 0, 0, 0])
        frame.writeInteger(UInt32(Int32.max))
        frame.writeInteger(UInt32(0))
        writeGathered(context)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    /// Closes the connection when the system has taken everything that was written.
    ///
    /// - Parameter patience: how long a client may take none of it.
    func closeWhenFlushed(patience: TimeAmount) {
        isEnding = true
        if let context { writeGathered(context) }
        context?.closeWhenFlushed(patience: patience)
    }
}
