internal import Dispatch
internal import GRPCFrontend
internal import Glibc
internal import HTTPFrontend
internal import Halcyon
internal import KServeProtocol
internal import Logging
internal import NIOCore
internal import NIOEmbedded
internal import Transport

// Whole connections: what a client sends goes through the framing, the limits, the routes and the readers of everything
// but inference, whose readers have targets of their own. The server behind them has no models, so that all is answered
// on this thread.

/// The bytes of an HTTP/1 connection. The first says into how long pieces they are cut.
@_cdecl("halcyon_fuzz_http")
public func fuzzHTTP(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    run(start, count, preface: []) { channel in
        var connection = HTTPConnectionOptions()
        connection.maximumBodySize = 1 << 16
        try HTTPListener.configure(
            channel, connection: connection, budget: ByteBudget(maximum: 1 << 20),
            responder: HTTPService(service: service, access: AccessPolicy()))
    }
}

/// The frames of an HTTP/2 connection behind its preface. The first byte says into how long pieces they are cut.
@_cdecl("halcyon_fuzz_grpc")
public func fuzzGRPC(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
    run(start, count, preface: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings) { channel in
        var options = GRPCOptions()
        options.maximumMessageSize = 1 << 16
        try GRPCListener.configure(
            channel, grpc: options, budget: ByteBudget(maximum: 1 << 20),
            service: GRPCService(service: service, access: AccessPolicy()))
    }
}

private let service: InferenceService = {
    let folder = "/tmp/halcyon-fuzz-models"
    mkdir(folder, 0o700)
    var options = ServerOptions(repositoryPaths: [folder])
    options.modelControlMode = .explicit
    let log = Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() })
    guard let server = try? InferenceServer(options),
        let tracer = try? RequestTracer(TraceSettings(), isChangeAllowed: true, log: log)
    else {
        perror(folder)
        exit(1)
    }
    var parts = InferenceService.Options()
    parts.allowsSharedMemory = true
    return InferenceService(
        server: server, logSettings: LogSettings(.init(), isChangeAllowed: true), tracer: tracer, options: parts)
}()

private func run(
    _ start: UnsafePointer<UInt8>?, _ count: Int, preface: [UInt8],
    configure: @escaping @Sendable (any Channel) throws -> Void
) {
    guard let start, count > 1 else { return }
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let isDone = DispatchSemaphore(value: 0)
    Task {
        await drive(bytes[1...], in: max(1, Int(bytes[0])), preface: preface, configure: configure)
        isDone.signal()
    }
    isDone.wait()
}

/// The event loop of this channel may be called from any thread: what a client changes on the server is done on others.
private func drive(
    _ bytes: ArraySlice<UInt8>, in piece: Int, preface: [UInt8],
    configure: @escaping @Sendable (any Channel) throws -> Void
) async {
    let channel = NIOAsyncTestingChannel()
    do {
        try await channel.testingEventLoop.executeInContext { try configure(channel) }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        if !preface.isEmpty { try await channel.writeInbound(ByteBuffer(bytes: preface)) }
        for offset in stride(from: bytes.startIndex, to: bytes.endIndex, by: piece) where channel.isActive {
            let part = bytes[offset..<min(offset + piece, bytes.endIndex)]
            try await channel.writeInbound(ByteBuffer(bytes: part))
            await channel.testingEventLoop.run()
        }
        await channel.testingEventLoop.advanceTime(by: .seconds(1))
        while try await channel.readOutbound(as: ByteBuffer.self) != nil {}
    } catch {
        // A connection that ends with an error is as good as any.
    }
    _ = try? await channel.finish(acceptAlreadyClosed: true)
}
