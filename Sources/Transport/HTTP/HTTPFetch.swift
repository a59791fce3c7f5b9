internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Tensors

/// One request to another server, for the commands that ask a running one.
package enum HTTPFetch {
    /// Where to ask, and how.
    package struct Request: Sendable {
        /// `http://host:port/path` or `https://…`.
        package var url: String
        package var headers: [(name: String, value: String)] = []
        /// A file with the certificate that the server's goes back to, PEM; `nil` for those that the system trusts.
        package var rootCertificate: String?
        package var timeoutSeconds: Int64 = 30
        /// Bytes of the answer's body that are taken at most.
        package var maximumByteCount = 256 << 20

        package init(url: String) { self.url = url }
    }

    package struct Answer: Sendable {
        package var status: Int
        package var body: [UInt8]
    }

    /// - Throws: `invalidArgument` for an address that is none; `unavailable` where nobody answers there, or not to
    /// the end.
    package static func get(_ request: Request) async throws -> Answer {
        let target = try HTTPAddress(request.url)
        let tls = try target.isSecure ? tlsContext(request) : nil
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let answer = try await exchange(request, target, tls, on: group)
            try await group.shutdownGracefully()
            return answer
        } catch {
            try? await group.shutdownGracefully()
            if let error = error as? HalcyonError { throw error }
            throw HalcyonError(
                .unavailable, "nobody answers at \(target.host):\(target.port) as an inference server does: \(error)")
        }
    }

    private static func tlsContext(_ request: Request) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let file = request.rootCertificate { configuration.trustRoots = .file(file) }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw HalcyonError(
                .invalidArgument, "the certificate in '\(request.rootCertificate ?? "")' can't be used: \(error)")
        }
    }

    private static func exchange(
        _ request: Request, _ target: HTTPAddress, _ tls: NIOSSLContext?, on group: any EventLoopGroup
    ) async throws -> Answer {
        let promise = group.next().makePromise(of: Answer.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: group)
                .connectTimeout(.seconds(min(10, request.timeoutSeconds)))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            try channel.pipeline.syncOperations.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: target.isName ? target.host : nil))
                        }
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(
                            AnswerCollector(promise, limit: request.maximumByteCount))
                    }
                }.connect(host: target.host, port: target.port).get()
        } catch {
            promise.fail(error)
            throw HalcyonError(
                .unavailable,
                "there is no server at \(target.host):\(target.port): start one with halcyon serve, or name another "
                    + "with --url (\(error))")
        }
        let timer = channel.eventLoop.scheduleTask(in: .seconds(request.timeoutSeconds)) {
            promise.fail(
                HalcyonError(
                    .unavailable,
                    "the server at \(target.host):\(target.port) did not answer within \(request.timeoutSeconds) s"))
            channel.close(promise: nil)
        }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target.path)
        head.headers.add(name: "Host", value: target.authority)
        head.headers.add(name: "Connection", value: "close")
        for header in request.headers { head.headers.add(name: header.name, value: header.value) }
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        defer {
            timer.cancel()
            channel.close(promise: nil)
        }
        return try await promise.futureResult.get()
    }
}

/// Puts an answer together.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<HTTPFetch.Answer>
    private let limit: Int
    private var status = 0
    private var body: [UInt8] = []

    init(_ promise: EventLoopPromise<HTTPFetch.Answer>, limit: Int) {
        self.promise = promise
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let part):
            body.append(contentsOf: part.readableBytesView)
            guard body.count > limit else { return }
            promise.fail(HalcyonError(.unavailable, "the answer is longer than \(limit) bytes"))
            context.close(promise: nil)
        case .end: promise.succeed(HTTPFetch.Answer(status: status, body: body))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(HalcyonError(.unavailable, "the server closed the connection before its answer was complete"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }
}
