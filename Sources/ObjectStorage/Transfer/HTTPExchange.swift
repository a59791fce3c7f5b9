internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Tensors

/// Requests sent by async-http-client, and its errors in words of this house.
struct HTTPExchange: Sendable {
    let client: HTTPClient

    /// - Parameters:
    ///   - certificates: a PEM file with those of who vouches for stores; `nil` for the system's.
    init(on group: any EventLoopGroup, certificates: String?, parallel: Int) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(4), read: .seconds(30)),
            decompression: .disabled)
        // Ranges and retries are told apart by connection here.
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = parallel
        var tls = TLSConfiguration.makeClientConfiguration()
        if let certificates { tls.trustRoots = .file(certificates) }
        configuration.tlsConfiguration = tls
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    /// Sends a request.
    ///
    /// - Parameter deadline: until when all of the answer must be there; `nil` as long as bytes come.
    func send(_ request: StoreRequest, within deadline: TimeAmount? = nil) async throws(StoreTrouble)
        -> HTTPClientResponse
    {
        var message = HTTPClientRequest(url: request.url)
        message.method = HTTPMethod(rawValue: request.method.rawValue)
        for field in request.headers { message.headers.add(name: field.name, value: field.value) }
        message.headers.replaceOrAdd(name: "user-agent", value: "halcyon")
        if !request.body.isEmpty { message.body = .bytes(request.body) }
        do {
            return try await client.execute(message, deadline: deadline.map { .now() + $0 } ?? .distantFuture)
        } catch {
            throw Self.trouble(error)
        }
    }

    /// The whole of a small answer.
    func answer(_ response: HTTPClientResponse, most: Int) async throws(StoreTrouble) -> StoreAnswer {
        do {
            var answer = Self.head(response)
            var body = try await response.body.collect(upTo: most)
            answer.body = body.readBytes(length: body.readableBytes) ?? []
            return answer
        } catch is NIOTooManyBytesError {
            throw .connection("an answer has more than \(most) bytes")
        } catch {
            throw Self.trouble(error)
        }
    }

    static func head(_ response: HTTPClientResponse) -> StoreAnswer {
        StoreAnswer(
            status: Int(response.status.code),
            headers: response.headers.map { StoreRequest.Field($0.name.lowercased(), $0.value) })
    }

    /// Nothing of a request is in the words, as it may hold credentials.
    static func trouble(_ error: any Error) -> StoreTrouble {
        if let trouble = error as? StoreTrouble { return trouble }
        if error is CancellationError { return .cancelled }
        if let error = error as? HTTPClientError {
            switch error {
            case .cancelled: return .cancelled
            case .connectTimeout: return .connection("no connection within 4 s")
            case .readTimeout: return .connection("nothing came for 30 s")
            case .deadlineExceeded: return .connection("no answer in time")
            case .remoteConnectionClosed: return .connection("the connection was closed")
            case .invalidURL, .emptyHost: return .connection("its address can't be one")
            default: return .connection(error.shortDescription)
            }
        }
        if let error = error as? NIOConnectionError {
            if error.connectionErrors.isEmpty { return .name }
            return error.connectionErrors.first.map { trouble($0.error) } ?? .name
        }
        if let error = error as? IOError { return .connection(error.localizedReason) }
        if error is SocketAddressError { return .name }
        return tlsTrouble(error)
    }

    private static func tlsTrouble(_ error: any Error) -> StoreTrouble {
        let text = "\(error)"
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return .host(String(text.prefix(300)))
        }
        if let error = error as? NIOSSLError {
            if text.contains("CERTIFICATE_VERIFY_FAILED") { return .certificate("CERTIFICATE_VERIFY_FAILED") }
            if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") { return .noTLS }
            if case .handshakeFailed = error { return .connection("TLS: \(text.prefix(200))") }
            if case .uncleanShutdown = error { return .connection("the connection was cut") }
        }
        return .connection(String(text.prefix(200)))
    }
}

extension IOError {
    fileprivate var localizedReason: String { String(cString: strerror(errnoCode)) }
}
