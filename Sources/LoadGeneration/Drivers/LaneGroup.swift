internal import DequeModule
internal import NIOCore
internal import Tensors
internal import Threads

/// The lanes of one event loop: begins requests, and counts what comes of them. All but the counts belongs to the loop.
final class LaneGroup: @unchecked Sendable {
    /// Requests in open loop that may wait for a lane; beyond that the server is overloaded beyond measure.
    private static let backlogLimit = 1_000_000

    let loop: any EventLoop
    private let counts = Locked(LoadCounts())
    private let payloads: PayloadCache
    private var schedule: ArrivalSchedule?
    private let isClosedLoop: Bool
    private var start: UInt64 = 0
    private var isRunning = false
    private var free: [NetworkLane] = []
    private var busyCount = 0
    private var backlog = Deque<UInt64>()
    private var nextDue: UInt64?
    private let clock = SystemClock()
    /// Whether requests are begun for many lanes one after the other, and sent behind them. Connections that are being
    /// read from send what was begun by themselves.
    private(set) var isBeginningMany = false
    /// Connections on which something was begun meanwhile.
    var unflushed: [LaneConnection] = []

    private struct Progress {
        /// Whether nothing is under way and nothing more is due.
        var isIdle = false
    }
    private let progress = Locked(Progress())

    init(loop: any EventLoop, payloads: PayloadCache, schedule: ArrivalSchedule?) {
        self.loop = loop
        self.payloads = payloads
        self.schedule = schedule
        isClosedLoop = schedule == nil
    }

    // MARK: From any thread

    func take() -> LoadCounts {
        counts.withLock { counts in
            let taken = counts
            counts = LoadCounts()
            return taken
        }
    }

    var succeeded: Int { counts.withLock { $0.requests } }
    var isIdle: Bool { progress.withLock { $0.isIdle } }

    func begin(at start: UInt64) {
        loop.execute { [self] in
            self.start = start
            isRunning = true
            nextDue = schedule?.next()
            isBeginningMany = true
            if isClosedLoop {
                let lanes = free
                free = []
                for lane in lanes { issue(lane, due: clock.now()) }
            }
            flushConnections()
            isBeginningMany = false
            if !isClosedLoop { arrive() }
        }
    }

    /// Begins no more but what ends sequences.
    func end() {
        loop.execute { [self] in
            isRunning = false
            backlog.removeAll()
            nextDue = nil
            let lanes = free
            free = []
            isBeginningMany = true
            for lane in lanes { rest(lane) }
            flushConnections()
            isBeginningMany = false
            update()
        }
    }

    // MARK: On the loop

    func flushConnections() {
        let connections = unflushed
        unflushed.removeAll(keepingCapacity: true)
        for connection in connections { connection.flush() }
    }

    private func update() {
        let isIdle = busyCount == 0 && backlog.isEmpty && nextDue == nil
        progress.withLock { $0.isIdle = isIdle }
    }

    /// A lane that has a connection and nothing to do.
    func ready(_ lane: NetworkLane) {
        guard isRunning else { return rest(lane) }
        if isClosedLoop {
            issue(lane, due: clock.now())
        } else if let due = backlog.popFirst() {
            issue(lane, due: due)
        } else {
            free.append(lane)
        }
    }

    /// After the end: a sequence that has begun is ended, as the server would hold its place for long.
    private func rest(_ lane: NetworkLane) {
        guard !isRunning, start > 0, lane.cursor.isInSequence else { return free.append(lane) }
        lane.isFarewell = true
        send(lane, due: clock.now(), isLast: true)
    }

    private func issue(_ lane: NetworkLane, due: UInt64) {
        lane.isFarewell = false
        send(lane, due: due, isLast: false)
    }

    private func send(_ lane: NetworkLane, due: UInt64, isLast: Bool) {
        lane.due = due
        lane.first = 0
        lane.responses = 0
        lane.isBusy = true
        busyCount += 1
        lane.connection?.send(lane, payloads.payload(lane.cursor.next(isLast: isLast), lane: lane.index))
    }

    /// A message of a request that has several.
    func responded(_ lane: NetworkLane) {
        lane.responses += 1
        if lane.responses == 1 { lane.first = clock.now() }
    }

    /// The request is over.
    ///
    /// - Parameter error: what was wrong; `nil` for nothing.
    func finished(_ lane: NetworkLane, error: String?, responses: Int = 1, isStream: Bool = false) {
        guard lane.isBusy else { return }
        lane.isBusy = false
        busyCount -= 1
        if !lane.isFarewell {
            let now = clock.now()
            let due = lane.due
            let first: UInt64? = isStream && lane.responses > 0 ? lane.first &- due : nil
            counts.withLock { counts in
                if let error {
                    counts.failed(error)
                } else {
                    counts.succeeded(now &- due, first: first, responses: responses)
                }
            }
        }
        // What comes next in a sequence that has failed would fail too.
        if error != nil, lane.cursor.isInSequence { lane.cursor.begin() }
        if !isClosedLoop || !isRunning { update() }
    }

    /// A lane's connection is gone; it is handed in again with ``ready(_:)`` when it has another.
    func lost(_ lane: NetworkLane, error: String) {
        free.removeAll { $0 === lane }
        if lane.isBusy {
            finished(lane, error: error)
        } else if lane.cursor.isInSequence {
            lane.cursor.begin()
        }
    }

    /// Begins what is due, and has itself called when the next is.
    private func arrive() {
        guard isRunning else { return }
        let now = clock.now()
        isBeginningMany = true
        while let due = nextDue, start &+ due <= now {
            let moment = start &+ due
            if let lane = free.popLast() {
                issue(lane, due: moment)
            } else if backlog.count < Self.backlogLimit {
                backlog.append(moment)
                counts.withLock { $0.wasLate() }
            } else {
                counts.withLock { $0.failed("not sent: over \(Self.backlogLimit) requests wait for a connection") }
            }
            nextDue = schedule?.next()
        }
        flushConnections()
        isBeginningMany = false
        update()
        guard let due = nextDue else { return }
        loop.scheduleTask(deadline: .uptimeNanoseconds(start &+ due)) { [self] in arrive() }
    }
}
