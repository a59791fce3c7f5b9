internal import ModelRuntime
internal import NIOCore
internal import Threads

/// Lets the calls of an event loop take their messages in turn, a few at a time, so that a client that sends many short
/// ones holds up nobody. Used on the event loop only.
final class MessageTurns {
    /// Messages of all calls of the event loop that are taken before it looks after its connections again.
    private static let messagesAtATime = 32
    /// Messages of one call that are taken before others have their turn.
    static let messagesPerTurn = 4

    private let eventLoop: any EventLoop
    private var waiting = CircularBuffer<GRPCStreamHandler>()
    private var isScheduled = false
    private var isRunning = false

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Whether others wait for their turn already.
    var isBusy: Bool { isScheduled || isRunning }

    /// Puts a call at the end of the line.
    func wait(_ handler: GRPCStreamHandler) {
        waiting.append(handler)
        schedule()
    }

    private func schedule() {
        guard !isScheduled, !isRunning else { return }
        isScheduled = true
        let turns = NIOLoopBound(self, eventLoop: eventLoop)
        // What is handed to an event loop at once comes before its connections; only what comes later lets them go
        // first.
        eventLoop.scheduleTask(in: .microseconds(100)) { turns.value.run() }
    }

    private func run() {
        isScheduled = false
        isRunning = true
        var left = Self.messagesAtATime
        while left > 0, let handler = waiting.popFirst() {
            handler.takeTurn()
            left -= Self.messagesPerTurn
        }
        isRunning = false
        if !waiting.isEmpty { schedule() }
    }
}

/// The turns of each event loop.
final class EventLoopTurns: Sendable {
    private let loops = Locked<[ObjectIdentifier: NIOLoopBound<MessageTurns>]>([:])

    /// Called on the event loop.
    func turns(of eventLoop: any EventLoop) -> MessageTurns {
        loops.withLock { loops in
            let key = ObjectIdentifier(eventLoop)
            let turns = loops[key] ?? NIOLoopBound(MessageTurns(eventLoop), eventLoop: eventLoop)
            loops[key] = turns
            return turns
        }.value
    }
}
