internal import NIOCore
internal import NIOHTTP1
internal import Tensors
internal import Threads

/// The way back for one request's answer. It may be used from any thread.
package final class HTTPReply: Sendable {
    private let connection: NIOLoopBound<HTTPConnectionHandler>
    private let eventLoop: any EventLoop
    /// The request's on its connection.
    let number: Int
    private let cancellation = Locked<Cancellation>(.none)

    private enum Cancellation {
        case none
        case action(@Sendable () -> Void)
        case cancelled
        case finished
    }

    init(_ connection: HTTPConnectionHandler, number: Int, eventLoop: any EventLoop) {
        self.number = number
        self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
        self.eventLoop = eventLoop
    }

    /// Gives the answer; `make` is called on the event loop, so that whoever has the result is not held up by its form.
    package func send(_ make: @escaping @Sendable () -> HTTPAnswer) {
        if isOnEventLoop { return send(make()) }
        cancellation.withLock { $0 = .finished }
        eventLoop.execute { [self] in connection.value.answer(make(), to: self) }
    }

    package func send(_ answer: HTTPAnswer) {
        guard isOnEventLoop else { return send { answer } }
        cancellation.withLock { $0 = .finished }
        connection.value.answer(answer, to: self)
    }

    /// Whether an answer would go out at once.
    package var isOnEventLoop: Bool { eventLoop.inEventLoop }

    /// Gives the answer in pieces: the head, then ``write(_:whenSent:)`` for each, then ``end()``.
    /// These may be called from one thread after the other, and come in turn.
    package func start(_ head: HTTPAnswer) { inTurn { $0.startStream(head, of: self) } }

    /// - Parameter whenSent: called when the system has taken the bytes, or when the client is gone and nobody takes
    ///   them.
    package func write(_ bytes: [UInt8], whenSent: (@Sendable () -> Void)? = nil) {
        inTurn { $0.writeStream(bytes, of: self, whenSent: whenSent) }
    }

    package func end() {
        cancellation.withLock { $0 = .finished }
        inTurn { $0.endStream(of: self) }
    }

    private func inTurn(_ body: @escaping @Sendable (HTTPConnectionHandler) -> Void) {
        eventLoop.execute { [self] in body(connection.value) }
    }

    /// Says what to do when the client goes away before the answer is given; done at once where it has already.
    package func onCancel(_ action: @escaping @Sendable () -> Void) {
        let isCancelled = cancellation.withLock { state in
            switch state {
            case .none, .action: state = .action(action)
            case .finished: break
            case .cancelled: return true
            }
            return false
        }
        if isCancelled { action() }
    }

    /// The client is gone.
    func cancel() {
        let action = cancellation.withLock { state -> (@Sendable () -> Void)? in
            defer { if case .finished = state {} else { state = .cancelled } }
            if case .action(let action) = state { return action }
            return nil
        }
        action?()
    }
}
