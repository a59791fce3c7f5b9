internal import NIOCore
internal import NIOHTTP2
internal import Transport

/// Looks after an HTTP/2 connection as a whole: tells ``GRPCConnection`` what happens, and does what that says.
/// Everything here happens on the connection's event loop.
final class GRPCConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private var connection: GRPCConnection
    private let wire: HTTP2WireHandler
    private var context: ChannelHandlerContext?
    private var timer = LazyTimer()

    /// How long a client may take none of what is left when the connection ends.
    private static let patience = TimeAmount.seconds(60)

    init(_ options: GRPCOptions, wire: HTTP2WireHandler, eventLoop: any EventLoop) {
        var age: Int64?
        if options.maximumConnectionAge > 0 {
            // Spread by a tenth, so that clients that came together do not come back together.
            let spread = options.maximumConnectionAge / 10
            age = options.maximumConnectionAge + Int64.random(in: -spread...spread)
        }
        connection = GRPCConnection(options, age: age, at: eventLoop.now)
        self.wire = wire
    }

    // MARK: What happens

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        setTimer(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer.cancel()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .settings: connection.handshakeFinished()
        case .ping(_, ack: false): perform(connection.pingReceived(at: context.eventLoop.now))
        case .ping(let data, ack: true): perform(connection.pingAnswered(data.integer))
        default: break
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        connection.received(at: context.eventLoop.now)
        setTimer(context)
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is DrainEvent { perform(connection.drain(at: context.eventLoop.now)) }
        context.fireUserInboundEventTriggered(event)
    }

    /// An error of one stream has ended that stream, and is nobody else's. Where the client has been told that the
    /// connection ends, it does; so it does where TLS or the system report an error.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if wire.hasSentError {
            perform(connection.failed())
        } else if !(error is any NIOHTTP2Error) {
            context.close(promise: nil)
        }
    }

    /// Headers or a message of one of the connection's calls go out.
    func sentData() { connection.sentData() }

    fileprivate func streamOpened(_ id: HTTP2StreamID) {
        guard let context else { return }
        connection.streamOpened(Int(id), at: context.eventLoop.now)
        setTimer(context)
    }

    fileprivate func streamClosed() {
        guard let context else { return }
        let actions = connection.streamClosed()
        guard !actions.isEmpty else { return }
        // The HTTP/2 implementation is in the middle of it.
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { handler.value.perform(actions) }
    }

    // MARK: What to do

    private func perform(_ actions: [GRPCConnection.Action]) {
        guard let context else { return }
        for action in actions {
            switch action {
            case .announceEnd: wire.announceEnd()
            case .ping(let data):
                let ping = HTTP2Frame(
                    streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: data), ack: false))
                context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
            case .goAway(let lastStream, let code, let reason):
                let goAway = HTTP2Frame(
                    streamID: .rootStream,
                    payload: .goAway(
                        lastStreamID: HTTP2StreamID(lastStream),
                        errorCode: code == .noError ? .noError : .enhanceYourCalm,
                        opaqueData: reason.isEmpty ? nil : ByteBuffer(string: reason)))
                context.writeAndFlush(wrapOutboundOut(goAway), promise: nil)
            case .closeWhenFlushed: wire.closeWhenFlushed(patience: Self.patience)
            case .close: context.close(promise: nil)
            }
        }
        setTimer(context)
    }

    private func setTimer(_ context: ChannelHandlerContext) {
        timer.arm(at: connection.nextDeadline, on: context.eventLoop, of: self) { $0.timeReached() }
    }

    private func timeReached() {
        guard let context else { return }
        timer.wentOff()
        perform(connection.timeReached(context.eventLoop.now))
    }
}

/// Tells a connection of its streams.
struct GRPCStreamCounter: NIOHTTP2StreamDelegate {
    let connection: NIOLoopBound<GRPCConnectionHandler>

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { connection.value.streamOpened(id) }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { connection.value.streamClosed() }
}
