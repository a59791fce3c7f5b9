internal import NIOCore
internal import Transport

/// What an HTTP/2 connection does as a whole, as a value: what happens goes in, with its time where that matters, and
/// what to do comes out.
///
/// A connection ends gently in two steps (RFC 9113, section 6.8): a GOAWAY that refuses nothing yet and a ping; when
/// the ping's answer shows that the client knows, a GOAWAY with the last call that is served; and when that call has
/// ended, the end. Calls that the client began before it knew are served like any other.
struct GRPCConnection {
    enum Action: Equatable {
        /// A GOAWAY that names the highest number there is, past the HTTP/2 implementation, which would refuse the
        /// calls that are still on their way.
        case announceEnd
        case ping(UInt64)
        case goAway(lastStream: Int, code: Code, reason: String)
        /// Close when everything that was written is with the system.
        case closeWhenFlushed
        case close
    }

    enum Code: Equatable {
        case noError
        case enhanceYourCalm
    }

    /// What a ping that shows whether the other side is there carries.
    static let keepalivePing: UInt64 = 1
    /// What the ping behind the announcement of the end carries.
    static let endPing: UInt64 = 2

    /// How long a client may take to say that it speaks HTTP/2.
    static let handshakeTimeout = TimeAmount.seconds(20)
    /// How long a client may take to answer the ping behind the announcement of the end.
    static let announcementTimeout = TimeAmount.seconds(5)

    private enum Phase: Equatable {
        /// Nothing has come from the client yet.
        case opening(deadline: NIODeadline)
        case serving
        /// The end is announced, and the client may not know yet.
        case announced(deadline: NIODeadline)
        /// The client knows; what it has begun is still served.
        case finishing
        /// Nothing more is done.
        case closing
    }

    private let options: GRPCOptions
    private var phase: Phase
    private var policy: PingPolicy
    private var openStreams = 0
    private var lastStream = 0
    private var lastRead: NIODeadline
    private var pingDeadline: NIODeadline?
    private var keepaliveDeadline: NIODeadline?
    private var ageDeadline: NIODeadline?
    private var graceDeadline: NIODeadline?

    /// - Parameters:
    ///   - age: after which the connection is to end, in milliseconds; `nil` for never.
    ///   - now: when the connection was opened.
    init(_ options: GRPCOptions, age: Int64?, at now: NIODeadline) {
        self.options = options
        policy = PingPolicy(options)
        phase = .opening(deadline: now + Self.handshakeTimeout)
        lastRead = now
        ageDeadline = age.map { now + .milliseconds($0) }
    }

    // MARK: What happens

    /// The client has sent something, which shows that it is there.
    mutating func received(at now: NIODeadline) {
        lastRead = now
        pingDeadline = nil
        if options.pingsWithoutCalls || openStreams > 0 { scheduleKeepalive(from: now) }
    }

    /// The client speaks HTTP/2.
    mutating func handshakeFinished() {
        if case .opening = phase { phase = .serving }
    }

    mutating func streamOpened(_ id: Int, at now: NIODeadline) {
        openStreams += 1
        lastStream = max(lastStream, id)
        if keepaliveDeadline == nil { scheduleKeepalive(from: now) }
    }

    mutating func streamClosed() -> [Action] {
        openStreams = max(0, openStreams - 1)
        if openStreams == 0, !options.pingsWithoutCalls { keepaliveDeadline = nil }
        return closeIfDone()
    }

    /// Headers or a message go out.
    mutating func sentData() { policy.sentData() }

    mutating func pingReceived(at now: NIODeadline) -> [Action] {
        guard phase != .closing, !policy.takes(at: now, hasCalls: openStreams > 0) else { return [] }
        phase = .closing
        return [
            .goAway(lastStream: lastStream, code: .enhanceYourCalm, reason: "too_many_pings"), .closeWhenFlushed,
        ]
    }

    mutating func pingAnswered(_ data: UInt64) -> [Action] {
        guard data == Self.endPing, case .announced = phase else { return [] }
        return finish()
    }

    /// The server is about to go.
    mutating func drain(at now: NIODeadline) -> [Action] {
        switch phase {
        case .opening, .serving:
            phase = .announced(deadline: now + Self.announcementTimeout)
            return [.announceEnd, .ping(Self.endPing)]
        case .announced, .finishing, .closing: return []
        }
    }

    /// The client has broken the protocol, and has been told so.
    mutating func failed() -> [Action] {
        guard phase != .closing else { return [] }
        phase = .closing
        return [.closeWhenFlushed]
    }

    // MARK: Time

    /// When ``timeReached(_:)`` has something to do at the earliest.
    var nextDeadline: NIODeadline? {
        var deadline: NIODeadline?
        switch phase {
        case .opening(let limit), .announced(let limit): deadline = limit
        case .serving, .finishing: break
        case .closing: return nil
        }
        deadline = LazyTimer.earlier(deadline, pingDeadline ?? keepaliveDeadline)
        return LazyTimer.earlier(deadline, LazyTimer.earlier(ageDeadline, graceDeadline))
    }

    mutating func timeReached(_ now: NIODeadline) -> [Action] {
        switch phase {
        case .closing: return []
        case .opening(let deadline) where deadline <= now: return close()
        case .announced(let deadline) where deadline <= now: return finish() + checkTimes(now)
        case .opening, .serving, .announced, .finishing: return checkTimes(now)
        }
    }

    private mutating func checkTimes(_ now: NIODeadline) -> [Action] {
        if let graceDeadline, graceDeadline <= now { return close() }
        if let pingDeadline, pingDeadline <= now { return close() }
        var actions: [Action] = []
        if let deadline = ageDeadline, deadline <= now {
            ageDeadline = nil
            if options.connectionAgeGrace > 0 { graceDeadline = now + .milliseconds(options.connectionAgeGrace) }
            actions = drain(at: now)
        }
        if pingDeadline == nil, let deadline = keepaliveDeadline, deadline <= now {
            scheduleKeepalive(from: now)
            if policy.maySend() {
                pingDeadline = now + .milliseconds(options.keepaliveTimeout)
                actions.append(.ping(Self.keepalivePing))
            }
        }
        return actions
    }

    private mutating func scheduleKeepalive(from now: NIODeadline) {
        keepaliveDeadline = now + .milliseconds(options.keepaliveTime)
    }

    // MARK: The end

    private mutating func finish() -> [Action] {
        phase = .finishing
        return [.goAway(lastStream: lastStream, code: .noError, reason: "")] + closeIfDone()
    }

    private mutating func closeIfDone() -> [Action] {
        guard phase == .finishing, openStreams == 0 else { return [] }
        phase = .closing
        return [.closeWhenFlushed]
    }

    private mutating func close() -> [Action] {
        phase = .closing
        return [.close]
    }
}
