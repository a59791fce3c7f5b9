internal import NIOCore

/// How many pings are too many, from either side, while the server has nothing to send; gRPC's own rules (its proposal
/// A8, and `GRPC_ARG_HTTP2_MAX_PING_STRIKES` and its kin).
struct PingPolicy {
    private let options: GRPCOptions
    private var lastReceived: NIODeadline?
    private var strikes = 0
    private var sentWithoutData = 0

    init(_ options: GRPCOptions) { self.options = options }

    /// The server has sent headers or a message: counting begins anew.
    mutating func sentData() {
        lastReceived = nil
        strikes = 0
        sentWithoutData = 0
    }

    /// Whether a ping that has come is one that the client may send.
    mutating func takes(at now: NIODeadline, hasCalls: Bool) -> Bool {
        defer { lastReceived = now }
        guard let lastReceived else { return true }
        let isIdle = !hasCalls && !options.pingsWithoutCalls
        let interval = isIdle ? .hours(2) : TimeAmount.milliseconds(options.minimumPingInterval)
        guard now - lastReceived < interval else { return true }
        strikes += 1
        return options.maximumPingStrikes == 0 || strikes <= options.maximumPingStrikes
    }

    /// Whether the server may send a ping of its own.
    mutating func maySend() -> Bool {
        guard options.maximumPingsWithoutData == 0 || sentWithoutData < options.maximumPingsWithoutData else {
            return false
        }
        sentWithoutData += 1
        return true
    }
}
