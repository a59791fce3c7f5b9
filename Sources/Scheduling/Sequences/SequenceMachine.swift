internal import DequeModule
package import Tensors

/// The scheduler of a model with sequences: which sequence has which slot, who waits, and what runs next, as a value.
///
/// A sequence begins with a request that has `start`. It gets a slot of an instance, which it keeps until it ends, or
/// waits for one in the backlog, first come first served. It ends when its request with `end` has run, when it has been
/// idle for too long, when it waits for a slot for longer than one of its requests allows, or when a request of it is
/// cancelled. From then on (for `end`: from the moment that request is taken in) its correlation id is free again. Its
/// requests run in the order in which they came, never two at a time.
///
/// Every event is a method that says what to do now. There is no clock, no thread and no I/O in here. What the owner
/// does:
///
/// - One worker an instance, which asks for ``nextBatch(instance:now:)``, runs the batch, calls
///   ``completed(slots:instance:now:)`` and asks again. It calls `completed` before it hands the responses over: a
///   caller that begins its next sequence from its response then finds the slot free. A batch that failed is completed
///   too.
/// - It wakes the workers whose numbers an event returns, after it has released its lock. A worker may come without
///   having been told to.
/// - After every event but `nextBatch` it looks at ``nextExpiry()``, and calls ``expire(now:)`` then. Without that, no
///   sequence ever ends by being idle.
/// - After every event, once it has called ``drain(keepingSequences:)``, it looks at ``isDrained``.
/// - It answers each request once: those of a batch, and those that `cancel`, `expire` and `abandon` return.
/// - Where sequences are iterative, a request without a correlation id gets ``freshCorrelation()`` and begins a
///   sequence. What the model puts back is given to ``resume(slot:instance:as:)`` before `completed`, by which all
///   others end.
/// - It keeps what it stores for a sequence, such as implicit state, by instance and slot, and begins anew at a row
///   with `start`: every sequence has one, and one that restarts has several. It releases what ``takeEnded(instance:)``
///   names before it runs the next batch.
/// - For `preserveOrdering` it hands each instance's responses over in the order of ``SequencedRequest/turn``.
package struct SequenceMachine: Sendable {
    /// What a worker does next.
    package enum WorkerAction: Sendable {
        case run(SequenceBatch<SequencedRequest>)
        /// Come back at that time, in nanoseconds, or when woken.
        case hold(until: UInt64)
        /// Sleep until woken.
        case park
        /// The model is stopped, or the instance removed, and there is nothing to run on it any more.
        case exit
    }

    /// What comes of enqueueing a request.
    package struct Enqueued: Sendable {
        /// For ``cancel(_:now:)``.
        package var handle: SequenceHandle
        /// The instance whose worker has something to do.
        package var wake: Int?
        /// Whether the request has begun a sequence anew whose last request had not come: worth a warning. It goes on
        /// in its place, behind what waits.
        package var restarted: Bool
    }

    /// What the passing of time has ended.
    package struct Expired: Sendable {
        /// Requests of sequences that got no slot in time. They fail with `HalcyonError.sequenceTimedOut`.
        package var timedOut: [SequencedRequest] = []
        /// Sequences that had been idle for too long, for the log.
        package var idle: [CorrelationID] = []
        /// The instances whose workers have something to do.
        package var wakes: [Int] = []
    }

    package let options: SequenceOptions
    let errors: SequenceErrors
    let planner: DirectPlanner
    var table = SequenceTable()
    var slots: SlotPool
    var lanes: [InstanceLane]
    /// What a new instance begins with.
    let emptyLane: InstanceLane
    var backlog = SequenceBacklog()
    var expiries: SequenceExpiries
    private var nextArrival: UInt64 = 0
    /// Requests that have not run yet, those in the backlog included.
    package internal(set) var waitingCount = 0
    package internal(set) var isDraining = false
    /// Set while no instance is left and none is being made.
    var outage: Outage?
    /// Sequences that were lost with their instance and have not begun again.
    var lost: Set<CorrelationID> = []
    /// Whether what waited has been given up: nothing is put back any more.
    var isAbandoned = false
    private var nextCorrelation: UInt64 = 0
    /// While draining: whether sequences that have begun may bring further requests.
    var keepsSequences = true

    package init(options: SequenceOptions) {
        self.options = options
        errors = SequenceErrors(modelName: options.modelName)
        slots = SlotPool(options: options)
        expiries = SequenceExpiries(idleTimeout: options.idleTimeout)
        var lane = InstanceLane()
        switch options.strategy {
        case .direct(let delay, let utilization):
            planner = DirectPlanner(
                slots: options.slotsPerInstance, delay: .microseconds(delay), minimumUtilization: utilization)
        case .oldest(_, let preferred, let delay, _):
            planner = DirectPlanner(slots: options.slotsPerInstance, delay: 0, minimumUtilization: 0)
            lane.candidates = CandidateQueue(
                options: SchedulingOptions(
                    maxBatchSize: options.maxBatchSize, preferredBatchSizes: preferred,
                    maxQueueDelay: .microseconds(delay)))
        }
        emptyLane = lane
        lanes = Array(repeating: lane, count: options.instanceCount)
    }

    // MARK: Requests

    /// Takes in a request.
    ///
    /// - Throws: `invalidArgument` for a batch of several, without a correlation id, or where the sequence has not
    ///   begun; `unavailable` where too many requests wait, the model is being stopped, or there is no instance for
    ///   longer than the request would wait. The machine is then as it was.
    package mutating func enqueue(_ request: SequencedRequest, now: UInt64) throws(HalcyonError) -> Enqueued {
        guard request.batchSize <= 1 else { throw errors.batchSize }
        guard !request.correlation.isAbsent else { throw errors.noCorrelation }
        guard !isDraining || keepsSequences && !request.start else { throw errors.stopping }
        let known = table.index(of: request.correlation)
        guard request.start || known != nil else {
            throw lost.contains(request.correlation)
                ? errors.lost(request.correlation) : errors.notStarted(request.correlation)
        }
        guard options.maxWaitingRequests == 0 || waitingCount < options.maxWaitingRequests else {
            throw errors.queueFull(options.maxWaitingRequests)
        }
        if let outage, isDeserted, !isWorthWaiting(request, outage, now: now) { throw outage.error(now: now) }
        let index = known ?? begin(request.correlation, now: now)
        let arrival = append(request, to: index, now: now)
        let handle = SequenceHandle(sequence: table.reference(index), arrival: arrival)
        let wake = table.records[index].slot.flatMap { wakeWorker(of: $0.instance, now: now) }
        return Enqueued(handle: handle, wake: wake, restarted: known != nil && request.start)
    }

    /// For a request that is a sequence of its own: a correlation id that no other has.
    package mutating func freshCorrelation() -> CorrelationID {
        while true {
            nextCorrelation = (nextCorrelation + 1) % options.firstFreshNumber
            let number = options.firstFreshNumber + nextCorrelation
            let fresh = options.namesByText ? CorrelationID.text("\(number)") : .number(number)
            if table.index(of: fresh) == nil { return fresh }
        }
    }

    private mutating func begin(_ correlation: CorrelationID, now: UInt64) -> Int {
        lost.remove(correlation)
        let index = table.insert(correlation, now: now)
        if let slot = slots.take() {
            occupy(slot, by: index, now: now)
        } else {
            backlog.append(table.reference(index))
        }
        return index
    }

    private mutating func append(_ request: SequencedRequest, to index: Int, now: UInt64) -> UInt64 {
        var request = request
        request.arrival = nextArrival
        nextArrival &+= 1
        table.records[index].waiting.append(request)
        table.records[index].lastActivity = now
        waitingCount += 1
        if request.end { table.close(index) }
        if table.records[index].slot == nil {
            shortenDeadline(index, by: request)
        } else if table.records[index].isReady, table.records[index].waiting.count == 1 {
            makeReady(index, now: now)
        }
        return request.arrival
    }

    /// Takes out a request whose caller has gone, with those of its sequence that came after it, and ends the sequence
    /// when the ones before it have run: a model can not go on from a request that it has not seen.
    ///
    /// - Returns: the requests, in the order of arrival, which are all to be told that they were cancelled; none if the
    ///   request runs already or has ended. And the instance whose worker has something to do.
    package mutating func cancel(_ handle: SequenceHandle, now: UInt64) -> (requests: [SequencedRequest], wake: Int?) {
        guard let index = table.index(of: handle.sequence),
            let position = table.records[index].position(ofArrival: handle.arrival)
        else { return ([], nil) }
        let cancelled = takeWaiting(index, from: position)
        table.close(index)
        if table.records[index].slot == nil { recomputeDeadline(index) }
        return (cancelled, endIfOver(index, now: now))
    }

    // MARK: Instances

    /// A worker is free, or was woken, or its time to hold back is over.
    package mutating func nextBatch(instance: Int, now: UInt64) -> WorkerAction {
        guard lanes.indices.contains(instance), lanes[instance].worker != .running, lanes[instance].worker != .lost
        else { return .park }
        switch decide(instance, now: now) {
        case .run(let plan):
            lanes[instance].worker = .running
            return .run(take(plan, instance: instance))
        case .wait(let until):
            lanes[instance].worker = .holding(until: until)
            return .hold(until: until)
        case .empty where mayExit(instance):
            lanes[instance].worker = .exited
            return .exit
        case .empty:
            lanes[instance].worker = .parked
            return .park
        }
    }

    /// Whether the worker would get a batch now.
    package mutating func hasBatch(instance: Int, now: UInt64) -> Bool {
        guard lanes.indices.contains(instance), case .run = decide(instance, now: now) else { return false }
        return true
    }

    /// A batch has run, or failed; its worker is about to ask for the next one.
    ///
    /// - Parameter slots: of those of its rows that have a request, in order.
    package mutating func completed(slots: [Int], instance: Int, now: UInt64) {
        guard lanes.indices.contains(instance), lanes[instance].worker == .running else { return }
        lanes[instance].worker = .woken
        for slot in slots {
            guard let index = lanes[instance].occupants[slot] else { continue }
            table.records[index].isRunning = false
            table.records[index].lastActivity = now
            if table.records[index].running.take() != nil { table.close(index) }
            if table.records[index].isReady {
                makeReady(index, now: now)
            } else if table.records[index].isOpen {
                expiries.watch(index, in: &table)
            } else {
                end(index, now: now)
            }
        }
    }

    // MARK: Looking

    /// Instances that execute.
    package var busyCount: Int { lanes.count { $0.worker == .running } }

    /// Sequences that have not ended, those in the backlog included.
    package var sequenceCount: Int { table.count }

    /// Sequences that wait for a slot.
    package var backlogCount: Int { backlog.count }
}
