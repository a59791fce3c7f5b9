import NIOCore
import NIOEmbedded
import NIOHPACK
import Tensors
import Testing
import Transport

@testable import GRPCFrontend

@Suite("gRPC connection handler")
struct GRPCConnectionHandlerTests {
    typealias Kind = HTTP2TestClient.Kind

    private static let watch = "/grpc.health.v1.Health/Watch"
    private static let check = "/grpc.health.v1.Health/Check"
    private static let highest: [UInt8] = [0x7F, 255, 255, 255]

    private func client(_ change: (inout GRPCOptions) -> Void = { _ in }) throws -> HTTP2TestClient {
        var options = GRPCOptions()
        change(&options)
        let channel = EmbeddedChannel()
        try GRPCListener.configure(
            channel, grpc: options, budget: ByteBudget(maximum: 1 << 20), service: try TestService.make())
        let client = HTTP2TestClient(channel)
        try client.connect()
        return client
    }

    /// A client with one call that does not end by itself, on stream 1.
    private func watchingClient(_ change: (inout GRPCOptions) -> Void = { _ in }) throws -> HTTP2TestClient {
        let client = try client(change)
        try client.sendPreface()
        try client.send(try client.headers(1, Self.watch) + client.message(1))
        _ = try client.frames()
        return client
    }

    @Test("A connection that says nothing is closed")
    func silence() throws {
        let client = try client()
        client.channel.embeddedEventLoop.advanceTime(by: .seconds(19))
        #expect(client.channel.isActive)
        client.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!client.channel.isActive)
        let idle = try self.client()
        try idle.sendPreface()
        idle.channel.embeddedEventLoop.advanceTime(by: .hours(5))
        #expect(idle.channel.isActive)
    }

    @Test("The end comes in two steps, and what is begun in between is served")
    func drain() throws {
        let client = try watchingClient()
        client.channel.pipeline.fireUserInboundEventTriggered(DrainEvent())
        let told = try client.frames(Kind.goAway, Kind.ping)
        #expect(told.map(\.type) == [Kind.goAway, Kind.ping])
        #expect(told.first?.payload == Self.highest + [0, 0, 0, 0])
        try client.send(try client.headers(3, Self.check) + client.message(3))
        #expect(try client.fields(of: 3).last?.first(name: "grpc-status") == "0")
        try client.acknowledge(told.last?.payload ?? [])
        #expect(try client.frames(Kind.goAway).map(\.payload) == [[0, 0, 0, 3, 0, 0, 0, 0]])
        #expect(client.channel.isActive)
        try client.send(HTTP2TestClient.frame(Kind.reset, stream: 1, [0, 0, 0, 8]))
        #expect(!client.channel.isActive)
    }

    @Test("A call's deadline ends it, and only it")
    func deadline() throws {
        let client = try watchingClient()
        try client.send(
            try client.headers(3, Self.watch, [("grpc-timeout", "250m")]) + client.message(3)
                + client.headers(5, Self.check, [("grpc-timeout", "100m")]))
        _ = try client.frames()
        let loop = client.channel.embeddedEventLoop
        loop.advanceTime(by: .milliseconds(99))
        #expect(try client.fields(of: 5).isEmpty)
        // Of a call whose message never came, too.
        loop.advanceTime(by: .milliseconds(1))
        #expect(try client.fields(of: 5).last?.first(name: "grpc-status") == "4")
        loop.advanceTime(by: .milliseconds(149))
        #expect(try client.fields(of: 3).last?.first(name: "grpc-status") == nil)
        loop.advanceTime(by: .milliseconds(1))
        #expect(try client.fields(of: 3).last?.first(name: "grpc-status") == "4")
        loop.advanceTime(by: .minutes(5))
        #expect(try client.fields(of: 1).last?.first(name: "grpc-status") == nil)
        #expect(client.channel.isActive)
    }

    @Test("An old connection ends likewise, and its grace is kept")
    func age() throws {
        let client = try watchingClient {
            $0.maximumConnectionAge = 10_000
            $0.connectionAgeGrace = 5000
        }
        client.channel.embeddedEventLoop.advanceTime(by: .milliseconds(8999))
        #expect(try client.frames(Kind.goAway).isEmpty)
        client.channel.embeddedEventLoop.advanceTime(by: .milliseconds(2001))
        #expect(try client.frames(Kind.goAway).map(\.payload) == [Self.highest + [0, 0, 0, 0]])
        client.channel.embeddedEventLoop.advanceTime(by: .seconds(5))
        #expect(!client.channel.isActive)
    }

    @Test("A silent client with calls is pinged, and closed where it does not answer")
    func keepalive() throws {
        let change = { (options: inout GRPCOptions) in
            options.keepaliveTime = 1000
            options.keepaliveTimeout = 500
        }
        let client = try watchingClient(change)
        client.channel.embeddedEventLoop.advanceTime(by: .milliseconds(999))
        #expect(try client.frames(Kind.ping).isEmpty)
        client.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        let ping = try #require(try client.frames(Kind.ping).first)
        try client.acknowledge(ping.payload)
        client.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1000))
        #expect(try client.frames(Kind.ping).count == 1)
        #expect(client.channel.isActive)
        client.channel.embeddedEventLoop.advanceTime(by: .milliseconds(500))
        #expect(!client.channel.isActive)
    }

    @Test("A reset right behind a call's end ends that call alone")
    func reset() throws {
        let client = try client()
        try client.sendPreface()
        try client.send(
            try client.headers(1, Self.check) + client.message(1)
                + HTTP2TestClient.frame(Kind.reset, stream: 1, [0, 0, 0, 8]))
        try client.send(try client.headers(3, Self.check) + client.message(3))
        #expect(try client.fields(of: 3).last?.first(name: "grpc-status") == "0")
        #expect(client.channel.isActive)
    }

    @Test("Malformed streams are reset, however many there were")
    func malformed() throws {
        let client = try client()
        try client.sendPreface()
        for stream in stride(from: UInt32(1), to: 801, by: 2) {
            try client.send(
                try client.headers(stream, Self.check, [("content-length", "1")]) + client.message(stream))
            let frames = try client.frames(Kind.reset, Kind.goAway)
            #expect(frames.map { [UInt32($0.type), $0.stream] } == [[UInt32(Kind.reset), stream]])
        }
        try client.send(try client.headers(801, Self.check) + client.message(801))
        #expect(try client.fields(of: 801).last?.first(name: "grpc-status") == "0")
    }

    @Test("A broken connection is told so, and closed")
    func broken() throws {
        let client = try client()
        try client.sendPreface()
        try client.send(HTTP2TestClient.frame(Kind.ping, [1, 2, 3]))
        let goAway = try #require(try client.frames(Kind.goAway).first)
        #expect(goAway.payload[4...].contains { $0 != 0 })
        #expect(!client.channel.isActive)
    }

    @Test("What a client may choose stays out of the table of headers")
    func table() throws {
        let client = try client()
        try client.sendPreface()
        // The client offers a table of 1 MiB.
        try client.send(HTTP2TestClient.frame(Kind.settings, [0, 1, 0, 16, 0, 0]))
        var sizes: [Int] = []
        for stream in stride(from: UInt32(1), to: 7, by: 2) {
            try client.send(try client.headers(stream, "/" + String(repeating: "x", count: 2000)))
            sizes.append(try client.frames(Kind.headers).first?.payload.count ?? 0)
        }
        #expect(sizes.allSatisfy { $0 > 1000 })
    }
}
