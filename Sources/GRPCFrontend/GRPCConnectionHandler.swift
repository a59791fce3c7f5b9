internal import NIOCore
internal import NIOHTTP2
internal import Transport

/// Looks after an HTTP/2 connection as a whole: pings a silent one, and lets one that is old, or whose server is about to
/// go, finish its calls and take no new ones. Everything here happens on the connection's event loop.
final class GRPCConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let options: GRPCOptions
    private let pings: ConnectionPings
    private var openStreams = 0
    private var lastStream = HTTP2StreamID.rootStream
    private var lastRead = NIODeadline.now()
    private var pingDeadline: NIODeadline?
    private var isDraining = false
    private var timers: [Scheduled<Void>] = []
    private var keepalive: RepeatedTask?

    init(_ options: GRPCOptions, pings: ConnectionPings) {
        self.options = options
        self.pings = pings
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        if options.maximumConnectionAge > 0 {
            // Spread by a tenth, so that clients that came together do not come back together.
            let spread = options.maximumConnectionAge / 10
            let age = options.maximumConnectionAge + Int64.random(in: -spread...spread)
            timers.append(
                context.eventLoop.scheduleTask(in: .milliseconds(age)) {
                    loopBound.value.0.drain(loopBound.value.1)
                })
        }
        let interval = TimeAmount.milliseconds(max(10, min(options.keepaliveTime, options.keepaliveTimeout) / 2))
        keepalive = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            loopBound.value.0.checkSilence(loopBound.value.1)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        keepalive?.cancel()
        for timer in timers { timer.cancel() }
        timers = []
    }

    private func checkSilence(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        if let pingDeadline {
            if now > pingDeadline { context.close(promise: nil) }
            return
        }
        guard openStreams > 0 || options.pingsWithoutCalls,
            now - lastRead > .milliseconds(options.keepaliveTime), pings.policy.maySend()
        else { return }
        pingDeadline = now + .milliseconds(options.keepaliveTimeout)
        let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(.init(withInteger: 1), ack: false))
        context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .ping(_, ack: false) = unwrapInboundIn(data).payload,
            !pings.policy.takes(at: .now(), hasCalls: openStreams > 0)
        {
            end(context, errorCode: .enhanceYourCalm, reason: "too_many_pings")
        }
        context.fireChannelRead(data)
    }

    private func end(_ context: ChannelHandlerContext, errorCode: HTTP2ErrorCode, reason: String) {
        let goAway = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: lastStream, errorCode: errorCode, opaqueData: ByteBuffer(string: reason)))
        context.write(wrapOutboundOut(goAway), promise: nil)
        context.closeWhenFlushed(patience: .seconds(5))
    }

    /// The frame handler has said goodbye already, and leaves the rest to its owner.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.closeWhenFlushed(patience: .seconds(5))
    }

    /// Anything that comes shows that the other side is there.
    func channelReadComplete(context: ChannelHandlerContext) {
        lastRead = .now()
        pingDeadline = nil
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as NIOHTTP2StreamCreatedEvent:
            openStreams += 1
            lastStream = max(lastStream, event.streamID)
        case is StreamClosedEvent:
            openStreams -= 1
            closeIfDone(context)
        case is DrainEvent: drain(context)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Says that no new calls are taken; closes when those there are have ended.
    private func drain(_ context: ChannelHandlerContext) {
        guard !isDraining else { return }
        isDraining = true
        let goAway = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil))
        context.writeAndFlush(wrapOutboundOut(goAway), promise: nil)
        if options.connectionAgeGrace > 0 {
            let channel = context.channel
            timers.append(
                context.eventLoop.scheduleTask(in: .milliseconds(options.connectionAgeGrace)) {
                    channel.close(promise: nil)
                })
        }
        closeIfDone(context)
    }

    private func closeIfDone(_ context: ChannelHandlerContext) {
        guard isDraining, openStreams <= 0 else { return }
        // The last call's trailers may be about to be written.
        let context = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.execute { context.value.closeWhenFlushed(patience: .seconds(60)) }
    }
}
