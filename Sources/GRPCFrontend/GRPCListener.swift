package import NIOCore
internal import NIOHTTP2
package import Tensors
package import Transport

/// A port that speaks gRPC.
package enum GRPCListener {
    /// - Throws: as ``Listener/bind(_:on:initialize:)``.
    package static func bind(
        _ options: Listener.Options, on group: any EventLoopGroup, grpc: GRPCOptions, budget: ByteBudget,
        service: GRPCService
    ) async throws(HalcyonError) -> Listener {
        var options = options
        options.applicationProtocols = ["h2"]
        return try await Listener.bind(options, on: group) { channel in
            try configure(channel, grpc: grpc, budget: budget, service: service)
        }
    }

    /// Lets a connection speak gRPC; called on its event loop.
    package static func configure(
        _ channel: any Channel, grpc: GRPCOptions, budget: ByteBudget, service: GRPCService
    ) throws {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: maximumStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: HPACKLimits.maximumHeaderListSize),
            HTTP2Setting(parameter: .maxFrameSize, value: 1 << 20),
            HTTP2Setting(parameter: .initialWindowSize, value: windowSize),
        ]
        // A client that cancels many calls at once is no attack, nor is one that measures its path with pings. Errors
        // of streams count by their rate alone: how many there ever were says nothing.
        connection.controlFrameRateLimit.maximumCount = 20_000
        connection.maximumConnectionGlitches = .max
        // What still comes of a call that the server has ended is read over, of as many as there may be.
        connection.maximumRecentlyResetStreams = maximumStreams
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = windowSize
        stream.streamResetFrameRateLimit.maximumCount = 20_000
        stream.streamErrorRateLimit.maximumCount = 20_000
        connection.targetWindowSize = 4 * windowSize
        let turns = NIOLoopBound(service.turns.turns(of: channel.eventLoop), eventLoop: channel.eventLoop)
        let wire = HTTP2WireHandler()
        let handler = NIOLoopBound(
            GRPCConnectionHandler(grpc, wire: wire, eventLoop: channel.eventLoop), eventLoop: channel.eventLoop)
        // 64 KiB may hold thousands of short messages: others have their turn between two reads.
        try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(wire)
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: connection, streamConfiguration: stream,
            streamDelegate: GRPCStreamCounter(connection: handler)
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(
                    GRPCStreamHandler(
                        service: service, options: grpc, budget: budget, connection: handler.value, turns: turns.value))
            }
        }
        try pipeline.addHandler(handler.value)
    }

    private static let maximumStreams = 1000

    /// Bytes that a client may send before it must wait for the server to read.
    private static let windowSize = 4 << 20

    private enum HPACKLimits {
        static let maximumHeaderListSize = 64 << 10
    }
}
