private import Glibc
internal import Logging
internal import NIOCore

/// Rests the accepting of connections while the process has no descriptors for them: the system would report that there
/// are some to accept, again and again.
///
/// A descriptor is kept in reserve. Where there are none after a rest either, it is released to take one connection in
/// and close it, so that its client knows and may go elsewhere.
final class AcceptPause: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = any Channel

    private enum State {
        case accepting
        case resting
        /// A rest is over, and nothing has been accepted yet.
        case trying
        /// The next connection is accepted with the descriptor in reserve.
        case shedding
    }

    private let log: Logger
    private let counters: ConnectionCounters
    private let rest: TimeAmount
    private var reserve: CInt
    private var state = State.accepting
    private var wantsRead = false
    /// Whether the log says that there are no descriptors; it says so once until they have been there for a while.
    private var isExhausted = false
    private var lastFailure = NIODeadline.uptimeNanoseconds(0)
    private var timer: Scheduled<Void>?

    private static let calm = TimeAmount.seconds(10)

    init(log: Logger, counters: ConnectionCounters, rest: TimeAmount = .milliseconds(200)) {
        self.log = log
        self.counters = counters
        self.rest = rest
        reserve = Self.makeReserve()
    }

    deinit { if reserve >= 0 { Glibc.close(reserve) } }

    private static func makeReserve() -> CInt { open("/dev/null", O_RDONLY | O_CLOEXEC) }

    func read(context: ChannelHandlerContext) {
        if case .resting = state {
            wantsRead = true
        } else {
            context.read()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        lastFailure = context.eventLoop.now
        if !isExhausted {
            isExhausted = true
            log.error(
                "no descriptors for further connections, accepting rests",
                metadata: ["error": "\(String(cString: strerror(error.errnoCode)))", "flag": "max-connections"])
        }
        counters.paused()
        if case .trying = state, reserve >= 0 {
            Glibc.close(reserve)
            reserve = -1
            state = .shedding
        } else {
            startRest(context)
        }
    }

    private func startRest(_ context: ChannelHandlerContext) {
        if reserve < 0 { reserve = Self.makeReserve() }
        state = .resting
        timer?.cancel()
        let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: rest) {
            let (handler, context) = handler.value
            handler.state = .trying
            Self.setAutoRead(true, context)
            guard handler.wantsRead else { return }
            handler.wantsRead = false
            context.read()
        }
        Self.setAutoRead(false, context)
    }

    /// An accept that failed leaves the port watched, as if it were still to be read: without this the failure comes
    /// again at once, for as long as the rest is to last.
    private static func setAutoRead(_ isOn: Bool, _ context: ChannelHandlerContext) {
        try? context.channel.syncOptions?.setOption(.autoRead, value: isOn)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .shedding = state else {
            if isExhausted, context.eventLoop.now - lastFailure >= Self.calm {
                isExhausted = false
                log.info("descriptors for connections again")
            }
            state = .accepting
            return context.fireChannelRead(data)
        }
        counters.refused()
        let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        unwrapInboundIn(data).close().hop(to: context.eventLoop).whenComplete { _ in
            handler.value.0.startRest(handler.value.1)
        }
        state = .resting
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }
}
