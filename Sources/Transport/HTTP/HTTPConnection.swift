internal import DequeModule
internal import NIOCore
internal import NIOHTTP1

/// What an HTTP/1 connection does, as a value: what happens goes in, with its time where that matters, and what to do
/// comes out.
///
/// One request at a time: it is gathered, handed to the responder, answered, and only then is looked at what was
/// pipelined behind it.
struct HTTPConnection {
    enum Action: Equatable {
        /// Get ready for a request's body.
        case begin(HTTPRequestHead)
        case append(ByteBuffer)
        /// Hand the request over; whoever answers it names the number.
        case respond(HTTPRequestHead, number: Int, receiveStart: NIODeadline)
        /// An interim response: that the client may go on, or whether it is still there.
        case sendContinue(HTTPVersion)
        /// Write the answer, or its head where it comes in pieces.
        case write(Delivery)
        /// Write the end of an answer that came in pieces.
        case writeEnd
        /// Answer with an error, and close the sending side: what follows can't be told apart from the rest of a
        /// request.
        case refuse(HTTPConnectionError)
        /// Tell who answers the request that nobody waits for it any more.
        case cancel
        case read
        case closeWhenFlushed
        case close
    }

    /// How an answer goes out.
    struct Delivery: Equatable {
        var version: HTTPVersion
        var isHead: Bool
        /// Whether another request may follow.
        var keepsAlive: Bool
    }

    private enum State: Equatable {
        case idle
        case receiving(Request)
        /// The responder has the request.
        case responding(Request)
        /// The answer's head is out, its pieces come.
        case streaming(Request)
        /// The request was refused: the rest of it is read over.
        case refused
        /// The last answer is on its way out; what comes is read over.
        case closing
        case closed
    }

    private struct Request: Equatable {
        var head: HTTPRequestHead
        var number: Int
        var start: NIODeadline

        /// Whether the client wants to go on, and in this protocol.
        var mayGoOn: Bool {
            head.isKeepAlive && head.method != .CONNECT && !head.headers.contains(name: "upgrade")
        }
    }

    private let options: HTTPConnectionOptions
    private var state = State.idle
    /// What came behind the request that is being answered.
    private var pipelined: Deque<HTTPServerRequestPart> = []
    private var requestCount = 0
    private var wantsRead = false
    private var isWritable = true
    /// Nothing comes after what has come, or nothing is wanted.
    private var isLast = false
    private var deadline: NIODeadline?
    private var writes: WriteProgress

    /// How long the rest of a refused request is read over.
    private static let refusalPatience = TimeAmount.seconds(5)

    /// - Parameter now: when the connection was opened.
    init(_ options: HTTPConnectionOptions, at now: NIODeadline) {
        self.options = options
        writes = WriteProgress(timeout: .seconds(options.writeTimeout))
        deadline = now + .seconds(options.idleTimeout)
    }

    // MARK: Requests

    mutating func received(_ part: HTTPServerRequestPart, at now: NIODeadline) -> [Action] {
        // What was pipelined goes first.
        if isAnswering || !pipelined.isEmpty || !isWritable {
            pipelined.append(part)
            return []
        }
        return take(part, at: now)
    }

    /// Whether ``next(at:)`` has something to do.
    var hasNext: Bool {
        isWritable && !isAnswering && !pipelined.isEmpty || wantsRead && mayRead
    }

    /// What to do with the next of what was pipelined; `nil` where there is nothing, or it is not its turn.
    mutating func next(at now: NIODeadline) -> [Action]? {
        if isWritable, !isAnswering, let part = pipelined.popFirst() { return take(part, at: now) }
        guard wantsRead, mayRead else { return nil }
        wantsRead = false
        return [.read]
    }

    private mutating func take(_ part: HTTPServerRequestPart, at now: NIODeadline) -> [Action] {
        switch (part, state) {
        case (.head(let head), .idle): return begin(head, at: now)
        case (.body(let chunk), .receiving): return [.append(chunk)]
        case (.end, .receiving(let request)):
            state = .responding(request)
            // The answer takes what the model takes.
            deadline = nil
            return [.respond(request.head, number: request.number, receiveStart: request.start)]
        case (.end, .refused): return close()
        default: return []
        }
    }

    private mutating func begin(_ head: HTTPRequestHead, at now: NIODeadline) -> [Action] {
        requestCount += 1
        state = .receiving(Request(head: head, number: requestCount, start: now))
        deadline = now + .seconds(options.bodyTimeout)
        if let error = HTTPHeadCheck.error(in: head) { return refuse(error, at: now) }
        return [.begin(head)]
    }

    /// The request's body may come.
    func began() -> [Action] {
        guard case .receiving(let request) = state, request.head.version.isModern,
            request.head.headers.first(name: "expect")?.lowercased() == "100-continue"
        else { return [] }
        return [.sendContinue(request.head.version)]
    }

    /// The request that is coming in can't be taken.
    mutating func refuse(_ error: HTTPConnectionError, at now: NIODeadline) -> [Action] {
        guard state != .closed else { return [] }
        state = .refused
        deadline = now + Self.refusalPatience
        return [.refuse(error)]
    }

    /// What came is no HTTP.
    mutating func parsingFailed(_ error: HTTPConnectionError, at now: NIODeadline) -> [Action] {
        switch state {
        case .idle, .receiving: return refuse(error, at: now)
        case .responding, .streaming:
            isLast = true
            return []
        case .refused: return close()
        case .closing, .closed: return []
        }
    }

    // MARK: Answers

    /// A whole answer has come; only that of the request that waits for one is written.
    mutating func answered(_ number: Int, at now: NIODeadline) -> [Action] {
        guard case .responding(let request) = state, request.number == number else { return [] }
        let keepsAlive = request.mayGoOn && !isLast
        let delivery = Delivery(
            version: request.head.version, isHead: request.head.method == .HEAD, keepsAlive: keepsAlive)
        guard keepsAlive else { return [.write(delivery)] + close() }
        becomeIdle(at: now)
        return [.write(delivery)]
    }

    /// The head of an answer in pieces has come.
    mutating func streamStarted(_ number: Int) -> [Action] {
        guard case .responding(let request) = state, request.number == number else { return [] }
        state = .streaming(request)
        // Without chunks only the connection's end shows that of the answer.
        let keepsAlive = request.mayGoOn && !isLast && request.head.version.isModern
        return [.write(Delivery(version: request.head.version, isHead: false, keepsAlive: keepsAlive))]
    }

    /// Whether a piece of an answer is to be written.
    func isStreaming(_ number: Int) -> Bool {
        if case .streaming(let request) = state { request.number == number } else { false }
    }

    mutating func streamEnded(_ number: Int, at now: NIODeadline) -> [Action] {
        guard case .streaming(let request) = state, request.number == number else { return [] }
        guard request.mayGoOn, !isLast, request.head.version.isModern else { return [.writeEnd] + close() }
        becomeIdle(at: now)
        return [.writeEnd]
    }

    private mutating func becomeIdle(at now: NIODeadline) {
        state = .idle
        deadline = now + .seconds(options.idleTimeout)
    }

    // MARK: The connection

    /// Whether to read more now; it is asked for later otherwise. Nothing more is read while an answer is due and
    /// requests wait behind it, or while the client does not take the answers that it has been given.
    mutating func readWanted() -> Bool {
        wantsRead = !mayRead
        return mayRead
    }

    private var mayRead: Bool { isWritable && !(isAnswering && !pipelined.isEmpty) }

    private var isAnswering: Bool {
        switch state {
        case .responding, .streaming: true
        case .idle, .receiving, .refused, .closing, .closed: false
        }
    }

    /// - Parameter buffered: bytes that the client has not taken.
    mutating func writabilityChanged(to isWritable: Bool, buffered: Int, at now: NIODeadline) {
        self.isWritable = isWritable
        writes.writabilityChanged(to: isWritable, buffered: buffered, at: now)
        if isWritable, state == .idle { deadline = now + .seconds(isLast ? options.farewell : options.idleTimeout) }
    }

    /// The client sends no more. It may still wait for its answer, or be gone: an interim response, which the former
    /// reads over, makes the latter's system report that nobody is there, and that cancels the request.
    mutating func inputClosed() -> [Action] {
        isLast = true
        switch state {
        case .responding(let request):
            return request.head.version.isModern ? [.sendContinue(request.head.version)] : []
        case .streaming, .closing, .closed: return []
        case .idle, .receiving, .refused: return close()
        }
    }

    /// The server is about to go: the next answer is the last. A client that asks nothing can't be told, and may be
    /// asking right now, so that it has a while to do so.
    mutating func drain(at now: NIODeadline) {
        isLast = true
        guard state == .idle else { return }
        deadline = min(deadline ?? .distantFuture, now + .seconds(options.farewell))
    }

    mutating func closed() -> [Action] {
        defer {
            state = .closed
            deadline = nil
            pipelined.removeAll()
        }
        return isAnswering ? [.cancel] : []
    }

    private mutating func close() -> [Action] {
        state = .closing
        deadline = nil
        pipelined.removeAll()
        return [.closeWhenFlushed]
    }

    // MARK: Time

    /// When ``timeReached(_:buffered:)`` has something to do at the earliest.
    var nextDeadline: NIODeadline? {
        switch state {
        case .closing, .closed: nil
        case .refused, .receiving: deadline
        // A client that does not take its answers is busy with them.
        case .idle where !isWritable: writes.deadline
        case .idle, .responding, .streaming: writes.deadline ?? deadline
        }
    }

    mutating func timeReached(_ now: NIODeadline, buffered: Int) -> [Action] {
        guard let due = nextDeadline, due <= now else { return [] }
        switch state {
        case .receiving:
            return refuse(
                HTTPConnectionError(
                    .requestTimeout,
                    "the request did not come in within http-body-timeout-secs, \(options.bodyTimeout)"), at: now)
        case .idle where isWritable: return close()
        case .idle, .responding, .streaming: return writes.hasFailed(buffered: buffered, at: now) ? [.close] : []
        case .refused: return [.close]
        case .closing, .closed: return []
        }
    }
}

extension HTTPVersion {
    /// HTTP/1.1: connections stay open, answers may come in chunks, and interim responses are understood.
    var isModern: Bool { major == 1 && minor >= 1 }
}
