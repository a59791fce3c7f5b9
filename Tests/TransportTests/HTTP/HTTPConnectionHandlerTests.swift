import NIOCore
import NIOEmbedded
import NIOHTTP1
import Tensors
import Testing

@testable import Transport

@Suite("HTTP connection handler")
struct HTTPConnectionHandlerTests {
    /// Answers at once, or keeps the replies.
    private final class Responder: HTTPResponder, @unchecked Sendable {
        var answersAtOnce = true
        var replies: [HTTPReply] = []

        func respond(to request: HTTPRequest, reply: HTTPReply) {
            guard answersAtOnce else { return replies.append(reply) }
            let body = request.body.withUnsafeBytes { Array($0) }
            reply.send(HTTPAnswer(status: .ok, contentType: "text/plain", head: body))
        }

        func answer(for error: HTTPConnectionError) -> HTTPAnswer {
            HTTPAnswer(status: error.status, contentType: "text/plain", head: Array(error.message.utf8))
        }
    }

    private let responder = Responder()
    private let channel = EmbeddedChannel()

    init() throws {
        try HTTPListener.configure(
            channel, connection: HTTPConnectionOptions(), budget: ByteBudget(maximum: 1 << 20), responder: responder)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private func send(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
        channel.embeddedEventLoop.run()
    }

    /// What has come back since the last time.
    private func answers() throws -> String {
        var text = ""
        while let part = try channel.readOutbound(as: IOData.self) {
            if case .byteBuffer(let buffer) = part { text += String(buffer: buffer) }
        }
        return text
    }

    private func post(_ body: String, _ headers: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    @Test("Pipelined requests are answered in their order")
    func pipelining() throws {
        try send(post("first") + post("second") + post("third"))
        let text = try answers()
        let positions = ["first", "second", "third"].map { text.firstRange(of: $0)?.lowerBound }
        #expect(!positions.contains(nil))
        #expect(positions.compactMap { $0 } == positions.compactMap { $0 }.sorted())
        #expect(channel.isActive)
    }

    @Test("A silent connection closes after the idle time")
    func idle() throws {
        try send(post("a"))
        channel.embeddedEventLoop.advanceTime(by: .seconds(119))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test("A request that stays incomplete gets 408")
    func body() throws {
        try send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        channel.embeddedEventLoop.advanceTime(by: .seconds(59))
        #expect(try answers() == "")
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(try answers().hasPrefix("HTTP/1.1 408"))
        channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!channel.isActive)
    }

    @Test("A client that takes nothing of its answer is closed")
    func write() throws {
        responder.answersAtOnce = false
        try send(post("a"))
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: .seconds(59))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test("An answer may take its time")
    func slowAnswer() throws {
        responder.answersAtOnce = false
        try send(post("a"))
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        responder.replies.first?.send(HTTPAnswer(status: .ok, head: Array("late".utf8)))
        #expect(try answers().contains("late"))
    }

    @Test("When the server is about to go the answer ends the connection, and a race is won by the request")
    func drain() throws {
        channel.pipeline.fireUserInboundEventTriggered(DrainEvent())
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(channel.isActive)
        try send(post("raced"))
        let text = try answers()
        #expect(text.contains("raced"))
        #expect(text.contains("Connection: close"))
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }

    @Test("Silence after that ends it too")
    func drainInSilence() throws {
        channel.pipeline.fireUserInboundEventTriggered(DrainEvent())
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test("A request that can't be taken is not first told to go on")
    func expectation() throws {
        try send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\nExpect: 100-continue\r\n\r\n")
        #expect(try answers().hasPrefix("HTTP/1.1 413"))
        let other = try HTTPConnectionHandlerTests()
        try other.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        #expect(try other.answers().hasPrefix("HTTP/1.1 100"))
        try other.send("abc")
        #expect(try other.answers().hasPrefix("HTTP/1.1 200"))
    }

    @Test("A client that goes takes back what it asked for")
    func cancellation() throws {
        responder.answersAtOnce = false
        try send(post("a"))
        let reply = try #require(responder.replies.first)
        nonisolated(unsafe) var isCancelled = false
        reply.onCancel { isCancelled = true }
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
        #expect(isCancelled)
    }
}
