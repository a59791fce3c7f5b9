import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import Transport

@Suite("Handshake timeout")
struct HandshakeTimeoutTests {
    private let channel = EmbeddedChannel()

    init() throws {
        try channel.pipeline.syncOperations.addHandler(HandshakeTimeout())
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    @Test("A connection that does not come to terms is closed")
    func silence() {
        channel.embeddedEventLoop.advanceTime(by: HandshakeTimeout.patience - .milliseconds(1))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
    }

    @Test("Bytes alone are no handshake")
    func trickle() throws {
        for _ in 0..<20 {
            try channel.writeInbound(ByteBuffer(bytes: [22]))
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        }
        #expect(!channel.isActive)
    }

    @Test("One that came to terms stays, and whoever comes behind hears of it")
    func handshake() throws {
        let listener = Listener()
        try channel.pipeline.syncOperations.addHandler(listener)
        channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: "h2"))
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        #expect(listener.protocols == ["h2"])
        #expect(throws: ChannelPipelineError.self) {
            try channel.pipeline.syncOperations.handler(type: HandshakeTimeout.self)
        }
    }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var protocols: [String?] = []

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent { protocols.append(negotiated) }
        }
    }
}
