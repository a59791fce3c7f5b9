internal import NIOCore
internal import NIOPosix
internal import Tensors

/// Makes connections to one server.
struct Connector: Sendable {
    private static let timeout = TimeAmount.seconds(5)

    let address: ServerAddress
    let tls: ClientTLS?

    /// - Parameter handler: makes the connection's own handler, on its loop.
    func connect(
        on loop: any EventLoop, _ handler: @escaping @Sendable () -> any ChannelInboundHandler
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(Self.timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 1 << 20)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(try tls.handler()) }
                    try channel.pipeline.syncOperations.addHandler(handler())
                }
            }
            .connect(host: address.host, port: address.port)
    }
}
