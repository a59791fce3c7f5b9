internal import NIOCore
internal import NIOPosix
internal import Tensors
internal import Threads

/// Asks a server one thing after the other, and waits for each answer. Not to be called on an event loop.
final class ControlConnection: Sendable {
    /// How long an answer is waited for. A model may take long for a first request.
    private static let patience = TimeAmount.seconds(60)

    private let connector: Connector
    private let loop: any EventLoop
    private let metadata: [(name: String, value: String)]

    init(_ connector: Connector, metadata: [(name: String, value: String)]) {
        self.connector = connector
        self.metadata = metadata
        loop = MultiThreadedEventLoopGroup.singleton.next()
    }

    /// - Throws: `unavailable` where no answer comes.
    func http(_ request: ByteBuffer) throws(HalcyonError) -> HTTPAnswer {
        try ask { promise in
            let handler = HTTPClientHandler(
                keepsBodies: true, answered: { promise.succeed($0) },
                closed: { promise.fail(HalcyonError(.unavailable, $0)) })
            return (
                handler,
                {
                    handler.send(request); handler.flush()
                }
            )
        }
    }

    /// - Throws: `unavailable` where no answer comes.
    func grpc(_ method: String, _ message: ByteBuffer, isStreaming: Bool = false) throws(HalcyonError) -> GRPCAnswer {
        let headers = HeaderBlock(
            path: GRPCRequestWriter.service + method, authority: connector.address.authority,
            usesTLS: connector.address.usesTLS, metadata: metadata)
        return try ask { promise in
            let handler = GRPCClientHandler(
                keepsBodies: true, isStreaming: isStreaming,
                happened: { if case .ended(_, let answer) = $0 { promise.succeed(answer) } },
                closed: { reason, _ in promise.fail(HalcyonError(.unavailable, reason)) })
            return (
                handler,
                {
                    handler.call(0, headers, message); handler.flush()
                }
            )
        }
    }

    /// On a connection of its own.
    private func ask<Answer: Sendable>(
        _ begin: @escaping @Sendable (EventLoopPromise<Answer>) -> (any ChannelInboundHandler, () -> Void)
    ) throws(HalcyonError) -> Answer {
        let promise = loop.makePromise(of: Answer.self)
        let send = Begun()
        let connected = connector.connect(on: loop) {
            let (handler, sends) = begin(promise)
            send.action = sends
            return handler
        }
        connected.whenFailure { promise.fail($0) }
        connected.whenSuccess { _ in send.action() }
        let timeout = loop.scheduleTask(in: Self.patience) {
            promise.fail(HalcyonError(.unavailable, "no answer within \(Self.patience.nanoseconds / 1_000_000_000) s"))
        }
        defer {
            timeout.cancel()
            connected.whenSuccess { $0.close(promise: nil) }
        }
        do {
            return try promise.futureResult.wait()
        } catch {
            let reason = (error as? HalcyonError)?.message ?? ConnectError.text(error)
            throw HalcyonError(.unavailable, "no answer from \(connector.address.text): \(reason)")
        }
    }

    /// What is done as soon as there is a connection; on the loop.
    private final class Begun: @unchecked Sendable {
        var action: () -> Void = {}
    }
}
