internal import KServeProtocol
internal import NIOCore
internal import Transport

/// What one call does, as a value: what happens goes in, with its time where that matters, and what to do comes out.
///
/// Whichever way a call ends, it ends once. Where the wire ends it (a deadline, a message that can't be read) the
/// status goes out first and what it had begun is taken back then: that ends with a status of its own, which comes too
/// late.
struct GRPCStream {
    enum Action: Equatable {
        /// The client's call is that method's.
        case begin(GRPCMethod)
        /// Answer what is not gRPC in HTTP's own way.
        case refuse
        /// Hand a message to the method.
        case deliver(GRPCMethod)
        /// Tell the method of many messages that there are no more.
        case endOfMessages
        /// End the call.
        case status(GRPCStatus)
        /// Take back what the call has begun.
        case cancel
        /// End the stream without a status: nobody takes it.
        case reset
    }

    private enum Phase: Equatable {
        case waitingForHeaders
        /// Messages may come.
        case open(GRPCMethod)
        /// The client has sent all it will.
        case halfClosed
        /// The status is on its way, or nobody waits for it.
        case finished
    }

    /// Seconds that a message may take to come in.
    private let messageTimeout: Int64
    private var phase = Phase.waitingForHeaders
    private var hasMessage = false
    private var deadline: NIODeadline?
    private var messageDeadline: NIODeadline?

    init(_ options: GRPCOptions) { messageTimeout = options.messageTimeout }

    /// The method whose messages may come.
    var openMethod: GRPCMethod? { if case .open(let method) = phase { method } else { nil } }

    /// Whether no headers have come yet.
    var isNew: Bool { phase == .waitingForHeaders }

    var isFinished: Bool { phase == .finished }

    // MARK: What comes

    mutating func headers(_ head: Result<GRPCRequestHead, GRPCRequestHead.Refusal>, at now: NIODeadline) -> [Action] {
        // What follows the first are trailers, which gRPC has none of in this direction.
        guard phase == .waitingForHeaders else { return [] }
        switch head {
        case .success(let head):
            phase = .open(head.method)
            deadline = head.timeout.map { now + .nanoseconds($0) }
            return [.begin(head.method)]
        case .failure(.notGRPC):
            phase = .finished
            return [.refuse]
        case .failure(.status(let status)): return finish(status)
        }
    }

    /// A whole message has come.
    mutating func message() -> [Action] {
        guard case .open(let method) = phase else { return [] }
        guard !hasMessage || method.isClientStreaming else {
            return fail(GRPCStatus(.internal, "the method takes one message, and the client sent another"))
        }
        hasMessage = true
        return [.deliver(method)]
    }

    /// A part of a message has come. One that has begun must come to its end in time: it holds memory that others could
    /// use.
    ///
    /// - Parameter isPartial: whether a message has begun and not ended.
    mutating func received(isPartial: Bool, at now: NIODeadline) {
        guard isPartial, openMethod != nil else { return messageDeadline = nil }
        if messageDeadline == nil { messageDeadline = now + .seconds(messageTimeout) }
    }

    /// The client has sent all it will.
    mutating func ended(isPartial: Bool) -> [Action] {
        guard case .open(let method) = phase else { return [] }
        phase = .halfClosed
        messageDeadline = nil
        guard !isPartial, hasMessage || method.isClientStreaming else {
            return fail(GRPCStatus(.internal, "the stream ended before a whole message"))
        }
        switch method {
        case .reflection: return finish(.ok)
        case _ where method.isClientStreaming: return [.endOfMessages]
        default: return []
        }
    }

    // MARK: The end

    /// The method has come to its end.
    mutating func finish(_ status: GRPCStatus) -> [Action] {
        guard phase != .finished else { return [] }
        end()
        return [.status(status)]
    }

    /// The wire ends the call.
    mutating func fail(_ status: GRPCStatus) -> [Action] {
        let actions = finish(status)
        return actions.isEmpty ? [] : actions + [.cancel]
    }

    /// The client takes none of what was sent.
    mutating func stalled() -> [Action] {
        guard phase != .finished else { return [.reset] }
        end()
        return [.cancel, .reset]
    }

    /// The stream is over, by whichever side.
    mutating func closed() -> [Action] {
        guard phase != .finished else { return [] }
        end()
        return [.cancel]
    }

    private mutating func end() {
        phase = .finished
        deadline = nil
        messageDeadline = nil
    }

    // MARK: Time

    /// When ``timeReached(_:)`` has something to do at the earliest.
    var nextDeadline: NIODeadline? { LazyTimer.earlier(deadline, messageDeadline) }

    mutating func timeReached(_ now: NIODeadline) -> [Action] {
        if let deadline, deadline <= now { return fail(GRPCStatus(.deadlineExceeded, "Deadline Exceeded")) }
        guard let messageDeadline, messageDeadline <= now else { return [] }
        return fail(
            GRPCStatus(
                .deadlineExceeded, "a message did not come in within grpc-message-timeout-secs, \(messageTimeout)"))
    }
}
