internal import NIOCore

/// A connection and the lanes that share it. On one event loop.
final class LaneConnection: @unchecked Sendable {
    enum Handler {
        case none
        case http(HTTPClientHandler)
        case grpc(GRPCClientHandler, HeaderBlock)
    }

    let group: LaneGroup
    let lanes: [NetworkLane]
    var handler = Handler.none
    var isOpen = false
    /// The first lane's number.
    private let first: Int

    init(group: LaneGroup, lanes: [NetworkLane]) {
        self.group = group
        self.lanes = lanes
        first = lanes.first?.index ?? 0
        for lane in lanes { lane.connection = self }
    }

    var takesCalls: Bool { if case .grpc(let handler, _) = handler { handler.takesCalls } else { true } }

    func send(_ lane: NetworkLane, _ payload: ByteBuffer) {
        switch handler {
        case .none: break
        case .http(let handler): handler.send(payload)
        case .grpc(let handler, let headers): handler.call(lane.index - first, headers, payload)
        }
        if group.isBeginningMany { group.unflushed.append(self) }
    }

    func flush() {
        switch handler {
        case .none: break
        case .http(let handler): handler.flush()
        case .grpc(let handler, _): handler.flush()
        }
    }
}
