internal import HeapModule
package import Scheduling
internal import Tensors

/// A model's scheduler with made-up time: requests come when they are told to, and batches take what they are told to
/// take. The decisions are those of the machine that runs in a server.
package struct Simulation {
    /// A request that comes.
    package struct Request: Hashable, Sendable {
        package var arrival: UInt64
        package var items: Int
        package var level: Int
        package var shape: Int
        /// Whether its caller runs it where an instance is idle.
        package var mayRunOnCaller: Bool

        package init(
            arrival: UInt64, items: Int = 1, level: Int = 0, shape: Int = 0, mayRunOnCaller: Bool = false
        ) {
            self.arrival = arrival
            self.items = items
            self.level = level
            self.shape = shape
            self.mayRunOnCaller = mayRunOnCaller
        }
    }

    /// A batch that was executed. Requests are named by their position.
    package struct Executed: Hashable, Sendable {
        package var instance: Int
        package var size: Int
        package var reason: BatchReason
        package var isOnCaller: Bool
        package var start: UInt64
        package var end: UInt64
        package var requests: [Int]
    }

    /// What things take, in nanoseconds.
    package protocol Timing {
        /// How long a batch takes that begins then.
        func duration(of requests: [Int], size: Int, start: UInt64) -> UInt64
        /// When a worker is there that was woken, is done with a batch, or has held one back until then.
        ///
        /// - Parameter head: the request that has waited longest.
        func coming(at time: UInt64, head: Int?, isWoken: Bool) -> UInt64
    }

    package struct Result: Sendable {
        /// In the order in which they began.
        package var batches: [Executed] = []
        /// Requests for which the queue had no room.
        package var rejected: [Int] = []
    }

    private enum Event {
        case arrival(Int)
        case worker(Int)
        case held(Int, turn: Int)
        case finished(Int, size: Int, duration: UInt64, isOnCaller: Bool)
    }

    private struct Entry: Comparable {
        var time: UInt64
        var order: Int
        var event: Event

        static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
        static func < (left: Entry, right: Entry) -> Bool { (left.time, left.order) < (right.time, right.order) }
    }

    /// Batches that a caller runs at most before it gives the instance back, and how short they are.
    private static let callerRuns = 8
    private static let shortExecution: UInt64 = 50_000

    private let options: SchedulingOptions
    private let requests: [Request]
    private let timing: any Timing
    private var machine: SchedulerMachine
    private var events = Heap<Entry>()
    private var order = 0
    private var result = Result()
    private var isWaiting: [Bool]
    private var oldest = 0
    private var arrived = 0
    private var turns: [Int]
    private var callerRuns: [Int]
    /// Whose workers execute; who is woken meanwhile looks again when it has nothing to do.
    private var isRunning: [Bool]
    private var wasWoken: [Bool]

    /// - Parameter requests: in the order of their arrival.
    package init(
        options: SchedulingOptions, instances: Int, requests: [Request], timing: any Timing
    ) {
        self.options = options
        self.requests = requests
        self.timing = timing
        machine = SchedulerMachine(options: options, instanceCount: max(1, instances))
        isWaiting = Array(repeating: false, count: requests.count)
        turns = Array(repeating: 0, count: max(1, instances))
        callerRuns = turns
        isRunning = Array(repeating: false, count: max(1, instances))
        wasWoken = isRunning
    }

    /// Runs until nothing is left to do.
    package mutating func run() -> Result {
        for index in requests.indices { add(requests[index].arrival, .arrival(index)) }
        while let next = events.popMin() { handle(next.event, now: next.time) }
        return result
    }

    private mutating func add(_ time: UInt64, _ event: Event) {
        events.insert(Entry(time: time, order: order, event: event))
        order += 1
    }

    private mutating func handle(_ event: Event, now: UInt64) {
        switch event {
        case .arrival(let index): arrive(index, now: now)
        case .worker(let instance):
            guard !isRunning[instance] else {
                wasWoken[instance] = true
                return
            }
            takeBatch(instance, now: now)
        case .held(let instance, let turn):
            guard turns[instance] == turn, !isRunning[instance] else { return }
            takeBatch(instance, now: now)
        case .finished(let instance, let size, let duration, let isOnCaller):
            machine.executed(size: size, duration: duration)
            if isOnCaller {
                finishOnCaller(instance, duration: duration, now: now)
            } else {
                isRunning[instance] = false
                come(instance, at: now, isWoken: false)
            }
        }
    }

    private mutating func arrive(_ index: Int, now: UInt64) {
        let request = requests[index]
        let queued = QueuedRequest(
            id: index, batchSize: max(1, request.items), level: request.level,
            shape: request.shape == 0 ? .fixed : ShapeKey([request.shape]), enqueueTime: now)
        arrived = index + 1
        isWaiting[index] = true
        do throws(HalcyonError) {
            switch try machine.enqueue(queued, callerMayRun: request.mayRunOnCaller, now: now).followUp {
            case .nothing: break
            case .wake(let instance): come(instance, at: now, isWoken: true)
            case .runHere(let instance, let batch):
                callerRuns[instance] = 1
                start(batch, on: instance, isOnCaller: true, now: now)
            case .prepare(let batch):
                if let wake = machine.batchPrepared(batch) { come(wake, at: now, isWoken: true) }
            }
        } catch {
            isWaiting[index] = false
            result.rejected.append(index)
        }
    }

    private mutating func takeBatch(_ instance: Int, now: UInt64) {
        turns[instance] += 1
        switch machine.nextBatch(instance: instance, now: now) {
        case .run(let batch, let wake):
            if let wake { come(wake, at: now, isWoken: true) }
            isRunning[instance] = true
            start(batch, on: instance, isOnCaller: false, now: now)
        case .hold(let until):
            guard !lookAgain(instance, now: now) else { return }
            let time = timing.coming(at: max(now, until), head: head, isWoken: true)
            add(time, .held(instance, turn: turns[instance]))
        case .park: _ = lookAgain(instance, now: now)
        case .exit, .leave: break
        }
    }

    /// A wake-up that came while the worker executed ends its next sleep at once.
    private mutating func lookAgain(_ instance: Int, now: UInt64) -> Bool {
        guard wasWoken[instance] else { return false }
        wasWoken[instance] = false
        takeBatch(instance, now: now)
        return true
    }

    private mutating func finishOnCaller(_ instance: Int, duration: UInt64, now: UInt64) {
        if callerRuns[instance] < Self.callerRuns, duration <= Self.shortExecution,
            let batch = machine.nextForCaller(instance: instance, now: now)
        {
            callerRuns[instance] += 1
            start(batch, on: instance, isOnCaller: true, now: now)
        } else if machine.release(instance: instance, now: now) {
            come(instance, at: now, isWoken: true)
        }
    }

    private mutating func come(_ instance: Int, at now: UInt64, isWoken: Bool) {
        add(max(now, timing.coming(at: now, head: head, isWoken: isWoken)), .worker(instance))
    }

    private mutating func start(_ batch: Batch<QueuedRequest>, on instance: Int, isOnCaller: Bool, now: UInt64) {
        let members = batch.requests.map(\.id)
        for member in members { isWaiting[member] = false }
        let duration = timing.duration(of: members, size: batch.size, start: now)
        let (end, overflow) = now.addingReportingOverflow(duration)
        result.batches.append(
            Executed(
                instance: instance, size: batch.size, reason: batch.reason, isOnCaller: isOnCaller, start: now,
                end: overflow ? .max : end, requests: members))
        add(
            overflow ? .max : end,
            .finished(instance, size: batch.size, duration: duration, isOnCaller: isOnCaller))
    }

    /// The request that has waited longest.
    private var head: Int? {
        mutating get {
            while oldest < arrived, !isWaiting[oldest] { oldest += 1 }
            return oldest < arrived ? oldest : nil
        }
    }
}
