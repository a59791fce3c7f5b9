package import NIOCore
package import Tensors

/// A port that speaks HTTP/1.
package enum HTTPListener {
    /// - Throws: as ``Listener/bind(_:on:initialize:)``.
    package static func bind(
        _ options: Listener.Options, on group: any EventLoopGroup, connection: HTTPConnectionOptions,
        budget: ByteBudget, responder: any HTTPResponder
    ) async throws(HalcyonError) -> Listener {
        var options = options
        options.applicationProtocols = ["http/1.1"]
        options.allowsHalfClosure = true
        return try await Listener.bind(options, on: group) { channel in
            try configure(channel, connection: connection, budget: budget, responder: responder)
        }
    }

    /// Lets a connection speak HTTP/1; called on its event loop.
    package static func configure(
        _ channel: any Channel, connection: HTTPConnectionOptions, budget: ByteBudget, responder: any HTTPResponder
    ) throws {
        try channel.pipeline.syncOperations.addHandler(
            HTTPConnectionHandler(
                responder: responder, options: connection, budget: budget, eventLoop: channel.eventLoop))
    }
}
