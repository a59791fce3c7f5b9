internal import NIOCore
internal import NIOPosix
internal import Tensors
internal import Threads

/// Puts a load on a server over the network.
final class NetworkDriver: LoadDriver {
    /// What a connection is made again after, in milliseconds.
    private static let pause = 50

    private let groups: [LaneGroup]
    private let eventLoops: MultiThreadedEventLoopGroup
    private let connector: Connector
    private let health: ConnectionHealth
    private let isStopped = Locked(false)
    private let patience: UInt64
    private let clock = SystemClock()
    private let form: RequestForm
    private let headers: HeaderBlock

    init(
        _ load: Load, _ options: LoadOptions, form: RequestForm, connector: Connector, firstSequence: UInt64
    ) throws(HalcyonError) {
        let width = options.width(load)
        let threads = max(1, min(options.threads, width))
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        self.eventLoops = eventLoops
        self.connector = connector
        self.form = form
        patience = options.patience
        health = ConnectionHealth(connector.address.text)
        headers = HeaderBlock(
            path: GRPCRequestWriter.service + (form.isStreaming ? "ModelStreamInfer" : "ModelInfer"),
            authority: connector.address.authority, usesTLS: connector.address.usesTLS, metadata: form.headers)
        let payloads: PayloadCache
        switch connector.address.wire {
        case .http:
            let writer = HTTPRequestWriter(address: connector.address, headers: form.headers)
            payloads = PayloadCache(form, lanes: width) {
                writer.inference($0, step: $1, lane: $2, index: $3, sequence: $4.sequence)
            }
        case .grpc:
            payloads = PayloadCache(form, lanes: width) {
                GRPCRequestWriter.inference($0, step: $1, lane: $2, index: $3, sequence: $4.sequence)
            }
        }
        groups = (0..<threads).map { part in
            LaneGroup(
                loop: eventLoops.next(), payloads: payloads,
                schedule: ArrivalSchedule(load, seed: options.seed, part: part, of: threads))
        }
        let lanes = (0..<width).map {
            NetworkLane(
                index: $0, cursor: RequestCursor(form, lane: $0, of: width, firstID: firstSequence))
        }
        try connect(lanes, perConnection: connector.address.wire == .grpc ? max(1, options.streamsPerConnection) : 1)
        // A moment ahead, so that all threads begin together.
        let start = clock.now()
        for group in groups { group.begin(at: start) }
    }

    func take() -> LoadCounts {
        var all = LoadCounts()
        for group in groups { all.add(group.take()) }
        return all
    }

    var succeeded: Int { groups.reduce(0) { $0 + $1.succeeded } }
    var failure: HalcyonError? { health.failure }
    var isOver: Bool { groups.allSatisfy(\.isIdle) }

    func stop() {
        for group in groups { group.end() }
        let deadline = clock.now() &+ patience
        let parker = Parker()
        while !isOver, failure == nil, clock.now() < deadline { parker.park(until: clock.now() &+ 2_000_000) }
        isStopped.withLock { $0 = true }
        try? eventLoops.syncShutdownGracefully()
    }

    // MARK: Connections

    /// Makes all connections, and waits for them.
    private func connect(_ lanes: [NetworkLane], perConnection: Int) throws(HalcyonError) {
        var futures: [EventLoopFuture<Void>] = []
        for (number, first) in stride(from: 0, to: lanes.count, by: perConnection).enumerated() {
            let group = groups[number % groups.count]
            let connection = LaneConnection(
                group: group, lanes: Array(lanes[first..<min(first + perConnection, lanes.count)]))
            futures.append(connect(connection))
        }
        do {
            for future in futures { try future.wait() }
        } catch {
            isStopped.withLock { $0 = true }
            try? eventLoops.syncShutdownGracefully()
            throw HalcyonError(
                .unavailable, "no connection to \(connector.address.text): \(ConnectError.text(error))")
        }
    }

    private func connect(_ connection: LaneConnection) -> EventLoopFuture<Void> {
        connector.connect(on: connection.group.loop) { [self] in handler(connection) }.map { [self] _ in
            health.opened()
            connection.isOpen = true
            for lane in connection.lanes { connection.group.ready(lane) }
            connection.flush()
        }
    }

    /// After a connection is gone.
    private func reconnect(_ connection: LaneConnection) {
        guard !isStopped.withLock({ $0 }) else { return }
        connection.group.loop.scheduleTask(in: .milliseconds(Int64(Self.pause))) { [self] in
            guard !isStopped.withLock({ $0 }) else { return }
            connect(connection).whenFailure { [self] error in
                health.refused(ConnectError.text(error))
                reconnect(connection)
            }
        }
    }

    private func gone(_ connection: LaneConnection, _ reason: String) {
        connection.handler = .none
        // Each holds the other.
        if isStopped.withLock({ $0 }) { for lane in connection.lanes { lane.connection = nil } }
        guard connection.isOpen else { return }
        connection.isOpen = false
        health.closed()
        for lane in connection.lanes { connection.group.lost(lane, error: "connection lost: \(reason)") }
        // A server that ends a connection in peace takes another at once.
        reconnect(connection)
    }

    private func handler(_ connection: LaneConnection) -> any ChannelInboundHandler {
        switch connector.address.wire {
        case .http:
            let handler = HTTPClientHandler(
                keepsBodies: false,
                answered: { answer in
                    guard let lane = connection.lanes.first else { return }
                    connection.group.finished(lane, error: ServerFault.text(answer))
                    if answer.keepsAlive { connection.group.ready(lane) }
                }, closed: { [self] in gone(connection, $0) })
            connection.handler = .http(handler)
            return handler
        case .grpc:
            let isStreaming = form.isStreaming
            let handler = GRPCClientHandler(
                keepsBodies: false, isStreaming: isStreaming,
                happened: { [unowned connection] event in
                    switch event {
                    case .message(let call):
                        if isStreaming { connection.group.responded(connection.lanes[call]) }
                    case .ended(let call, let answer):
                        let lane = connection.lanes[call]
                        connection.group.finished(
                            lane, error: ServerFault.text(answer), responses: isStreaming ? answer.count : 1,
                            isStream: isStreaming)
                        if connection.takesCalls { connection.group.ready(lane) }
                    }
                }, closed: { [self] reason, _ in gone(connection, reason) })
            connection.handler = .grpc(handler, headers)
            return handler
        }
    }
}
