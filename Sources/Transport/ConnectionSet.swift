internal import ModelRuntime
internal import NIOCore

/// The open connections of a listener.
final class ConnectionSet: Sendable {
    let maximum: Int
    private let channels = Locked<[ObjectIdentifier: any Channel]>([:])

    init(maximum: Int) { self.maximum = maximum }

    /// Takes in a connection until it closes.
    ///
    /// - Returns: whether there was room.
    func add(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let hasRoom = channels.withLock { channels in
            guard channels.count < maximum else { return false }
            channels[id] = channel
            return true
        }
        if hasRoom {
            channel.closeFuture.whenComplete { _ in self.channels.withLock { $0[id] = nil } }
        }
        return hasRoom
    }

    func waitUntilEmpty() async {
        for channel in channels.withLock({ Array($0.values) }) { try? await channel.closeFuture.get() }
    }

    func forEach(_ body: (any Channel) -> Void) {
        for channel in channels.withLock({ Array($0.values) }) { body(channel) }
    }
}
