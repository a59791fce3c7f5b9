package import Tensors

/// The scheduler of one model version: its queue and the leases of its instances, as a value.
///
/// An instance is a lease: whoever holds it may run it, its own worker or a caller that found it idle. Every event is a
/// method that says what to do now; the owner does it after it has released its lock. There is no clock, no thread and
/// no I/O in here.
///
/// A worker's life: `parked` (told to sleep) → `woken` (told to come, not here yet) → `nextBatch` → `running` or
/// `holding` (the one worker that waits for a held-back batch) or `parked` again. A caller's lease: `parked` → `leased`
/// → `release`. Where instances share resources a worker may be `blocked` before `nextBatch`, and one that never comes
/// back is `lost` until it is replaced. Instances may be added and removed at any time; one that executes is `removed`
/// when it comes back, and numbers are not used again. A worker may come without having been told to, at any time: a
/// wake-up can arrive late, when the work it was for is long done.
package struct SchedulerMachine: Sendable {
    package enum InstanceState: Equatable, Sendable {
        case parked
        case woken
        case holding(until: UInt64)
        /// By its worker.
        case running
        /// By a caller, on the caller's thread.
        case leased
        /// Its worker waits for resources that other instances hold.
        case blocked
        /// Its worker does not come back.
        case lost
        /// It takes no more batches.
        case removed
    }

    /// What comes of enqueueing a request.
    package enum FollowUp: Sendable {
        case nothing
        /// That instance's worker has something to do.
        case wake(instance: Int)
        /// The caller holds the lease of that instance now and runs this batch, which is its own request alone.
        case runHere(instance: Int, Batch<QueuedRequest>)
        /// The caller gathers this batch ahead of time and hands it back to ``batchPrepared(_:)``.
        case prepare(Batch<QueuedRequest>)
    }

    /// What a worker does next.
    package enum WorkerAction: Sendable {
        /// Run this batch; and before that, wake another worker, for which there is work too.
        case run(Batch<QueuedRequest>, wake: Int?)
        /// Come back at that time, in nanoseconds, or when woken.
        case hold(until: UInt64)
        /// Sleep until woken.
        case park
        /// The model is stopped and nothing is left to run.
        case exit
        /// The instance is removed; another worker is to be woken for what waits.
        case leave(wake: Int?)
    }

    package let options: SchedulingOptions
    private var planner: BatchPlanner
    package private(set) var queue: RequestQueue
    package private(set) var instances: [InstanceState]
    /// Parked instances, the most recently used last: it is taken first, as its caches are warm.
    private var parked: [Int]
    /// Workers told to come that are not here yet.
    private var wokenCount = 0
    /// The worker that waits for a held-back batch.
    private var holder: Int?
    /// Batches gathered ahead of time, and how many are being gathered.
    private var prepared: [Batch<QueuedRequest>] = []
    private var preparing = 0
    /// The requests of both.
    private var requestsAhead = 0
    /// Instances that are to be removed when they have executed their batch.
    private var leaving: Set<Int> = []
    package private(set) var isDraining = false
    /// Set while no instance is left and none is being made.
    private var outage: Outage?

    /// - Parameter admission: which requests may share a batch, beyond sizes and shapes; `nil` for all.
    package init(options: SchedulingOptions, instanceCount: Int, admission: BatchAdmission? = nil) {
        self.options = options
        planner = BatchPlanner(options: options)
        queue = RequestQueue(options: options, admission: admission)
        instances = Array(repeating: .parked, count: instanceCount)
        parked = Array((0..<instanceCount).reversed())
    }

    /// Which batch runs now, if any.
    private mutating func decide(now: UInt64) -> BatchDecision {
        guard planner.budget != nil else { return planner.decide(&queue, now: now, isDraining: isDraining) }
        let instances = BatchPlanner.Instances(spare: parked.count + wokenCount, active: activeCount)
        return planner.decide(&queue, now: now, isDraining: isDraining, for: instances)
    }

    /// Learns what a batch took, where the model has a latency budget.
    ///
    /// - Parameter duration: nanoseconds from when it was taken to its answers.
    package mutating func executed(size: Int, duration: UInt64) {
        planner.budget?.executed(size: size, duration: duration)
    }

    // MARK: Requests

    /// Takes in a request.
    ///
    /// - Parameter callerMayRun: whether the caller would run its request on its own thread.
    /// - Throws: `unavailable` where the queue is full, the model is being stopped, or there is no instance for longer
    ///   than the request would wait.
    package mutating func enqueue(
        _ request: QueuedRequest, callerMayRun: Bool, now: UInt64
    ) throws(HalcyonError) -> (handle: RequestHandle, followUp: FollowUp) {
        guard !isDraining else {
            throw HalcyonError(.unavailable, "the model is being stopped and takes no more requests")
        }
        if let outage, isDeserted, !Self.isWorthWaiting(request, outage, options, now: now) {
            throw outage.error(now: now)
        }
        let wasEmpty = queue.isEmpty && prepared.isEmpty
        let handle = try queue.insert(request)
        planner.budget?.arrived(items: request.batchSize, now: now)
        return (handle, followUp(callerMayRun: callerMayRun && wasEmpty, now: now))
    }

    private mutating func followUp(callerMayRun: Bool, now: UInt64) -> FollowUp {
        if holder == nil, parked.isEmpty { return prepareAhead(now: now) }
        switch decide(now: now) {
        case .empty: return .nothing
        case .wait:
            // One worker waits for the held-back batch; its deadline is the oldest request's, so it needs no news.
            guard holder == nil, wokenCount == 0 else { return .nothing }
            return wakeParked().map(FollowUp.wake) ?? .nothing
        case .run(let plan):
            if callerMayRun, wokenCount == 0, holder == nil, plan.requestCount == queue.count,
                let instance = parked.popLast()
            {
                instances[instance] = .leased
                return .runHere(instance: instance, queue.take(plan))
            }
            return wakeForWork().map(FollowUp.wake) ?? .nothing
        }
    }

    /// Forms the next batch while all instances are busy, where the configuration asks for it and the batch is as good
    /// as it gets.
    private mutating func prepareAhead(now: UInt64) -> FollowUp {
        guard options.eagerBatching, wokenCount == 0, prepared.count + preparing < activeCount,
            case .run(let plan) = decide(now: now),
            plan.reason == .full || plan.reason == .preferredSize
        else { return .nothing }
        let batch = queue.take(plan)
        preparing += 1
        requestsAhead += batch.requests.count
        return .prepare(batch)
    }

    /// Takes back a batch that was gathered ahead of time.
    ///
    /// - Returns: the instance whose worker is to be woken for it.
    package mutating func batchPrepared(_ batch: Batch<QueuedRequest>) -> Int? {
        preparing -= 1
        prepared.append(batch)
        return wakeForWork()
    }

    /// Takes out a request whose caller has gone; `nil` if it runs already or has ended.
    ///
    /// - Returns: the request; and the instance whose worker is to be woken, because those that are left make a batch
    ///   that runs at once.
    package mutating func cancel(_ handle: RequestHandle, now: UInt64) -> (request: QueuedRequest?, wake: Int?) {
        guard let request = queue.remove(handle) else { return (nil, nil) }
        return (request, wakeHolder(now: now))
    }

    /// Acts on the timeouts that have passed.
    ///
    /// - Returns: the requests whose policy is REJECT, which have left the queue; and the instance whose worker is to
    ///   be woken, because a request that is behind its time is held back no longer, or because those that are left
    ///   make a batch that runs at once.
    package mutating func expire(now: UInt64) -> (rejected: [QueuedRequest], wake: Int?) {
        let (rejected, delayedCount) = queue.expire(now: now)
        return (rejected, rejected.isEmpty && delayedCount == 0 ? nil : wakeHolder(now: now))
    }

    /// The worker that holds a batch back, where what is left in the queue may run now.
    private mutating func wakeHolder(now: UInt64) -> Int? {
        guard holder != nil, case .run = decide(now: now) else { return nil }
        return wakeForWork()
    }

    /// When ``expire(now:)`` has something to do next.
    package mutating func nextExpiry() -> UInt64? { queue.nextExpiry }

    // MARK: Instances

    /// A worker is free, or was woken, or its time to hold back is over.
    package mutating func nextBatch(instance: Int, now: UInt64) -> WorkerAction {
        // A late wake-up, while a caller holds the lease: the instance is not the worker's to run. Nor is it that of a
        // worker in place of a lost one before ``replace(instance:)`` says so.
        if instances[instance] == .leased || instances[instance] == .lost { return .park }
        if leaving.remove(instance) != nil { instances[instance] = .removed }
        if instances[instance] == .removed { return .leave(wake: wakeInPlace(now: now)) }
        arrive(instance)
        if !prepared.isEmpty {
            let batch = prepared.removeFirst()
            requestsAhead -= batch.requests.count
            instances[instance] = .running
            return .run(batch, wake: wakeForMore(now: now))
        }
        switch decide(now: now) {
        case .run(let plan):
            let batch = queue.take(plan)
            instances[instance] = .running
            return .run(batch, wake: wakeForMore(now: now))
        case .wait(let until):
            if holder == nil {
                holder = instance
                instances[instance] = .holding(until: until)
                return .hold(until: until)
            }
        case .empty:
            if isDraining, preparing == 0 {
                instances[instance] = .parked
                return .exit
            }
        }
        instances[instance] = .parked
        parked.append(instance)
        return .park
    }

    private mutating func arrive(_ instance: Int) {
        switch instances[instance] {
        case .woken: wokenCount -= 1
        case .holding: holder = nil
        case .parked: parked.removeAll { $0 == instance }
        case .running, .leased, .blocked, .lost, .removed: break
        }
    }

    /// Whether a worker that asked for a batch now would get one.
    package mutating func hasBatch(now: UInt64) -> Bool {
        if !prepared.isEmpty { return true }
        if case .run = decide(now: now) { return true }
        return false
    }

    /// A worker that has come for a batch may not execute yet, as its instance lacks resources. It comes back when they
    /// are there.
    ///
    /// - Returns: the instance whose worker is to be woken in its place.
    package mutating func block(instance: Int, now: UInt64) -> Int? {
        guard !isRemoved(instance), instances[instance] != .lost else { return nil }
        arrive(instance)
        instances[instance] = .blocked
        return wakeForMore(now: now)
    }

    /// A worker does not come back from an execution, and nobody waits for it any longer; or its instance has gone
    /// while it had nothing to do.
    ///
    /// - Returns: the instance whose worker is to be woken in its place.
    package mutating func lose(instance: Int, now: UInt64) -> Int? {
        arrive(instance)
        instances[instance] = isRemoved(instance) ? .removed : .lost
        leaving.remove(instance)
        return wakeInPlace(now: now)
    }

    /// No instance is left, and none will be for a while.
    ///
    /// - Returns: the requests that do not wait so long, which have left; each is told ``Outage/error(now:)``.
    package mutating func suffer(_ outage: Outage, now: UInt64) -> [QueuedRequest] {
        guard isDeserted, !isDraining else { return [] }
        self.outage = outage
        let options = options
        return queue.removeAll { !Self.isWorthWaiting($0, outage, options, now: now) }
    }

    private static func isWorthWaiting(
        _ request: QueuedRequest, _ outage: Outage, _ options: SchedulingOptions, now: UInt64
    ) -> Bool {
        let level = options.levels[min(max(0, request.level), options.levels.count - 1)]
        let timeout = request.requestedTimeout == 0 ? level.defaultTimeout : request.requestedTimeout
        return outage.isWorthWaiting(enqueueTime: request.enqueueTime, timeout: timeout, now: now)
    }

    /// There is a new worker for an instance that was lost, which is to be woken.
    package mutating func replace(instance: Int) {
        guard instances[instance] == .lost else { return }
        outage = nil
        instances[instance] = .woken
        wokenCount += 1
    }

    /// There are new instances, with workers on their way.
    ///
    /// - Returns: their numbers.
    package mutating func add(count: Int) -> Range<Int> {
        let first = instances.count
        instances += Array(repeating: .woken, count: count)
        wokenCount += count
        return first..<instances.count
    }

    /// An instance takes no more batches. It finishes what it executes.
    ///
    /// - Returns: whose workers are to be woken: its own, which ends, and one in its place where something waits.
    package mutating func remove(instance: Int, now: UInt64) -> [Int] {
        switch instances[instance] {
        case .removed: return []
        case .running, .leased:
            leaving.insert(instance)
            return []
        case .parked, .woken, .holding, .blocked, .lost:
            arrive(instance)
            instances[instance] = .removed
            return [instance] + [wakeInPlace(now: now)].compactMap(\.self)
        }
    }

    /// Whether an instance takes no more batches.
    package func isRemoved(_ instance: Int) -> Bool {
        instances[instance] == .removed || leaving.contains(instance)
    }

    /// Instances that take batches, or will when they come back.
    package var activeCount: Int { instances.count { $0 != .removed } - leaving.count }

    /// A caller has run its batch and would rather run what came meanwhile than have a worker woken for it.
    ///
    /// - Returns: the next batch, for which the lease goes on; `nil` where there is none to run right now, or somebody
    ///   is on the way to it: then the lease is to be given back.
    package mutating func nextForCaller(instance: Int, now: UInt64) -> Batch<QueuedRequest>? {
        guard instances[instance] == .leased, !leaving.contains(instance), !isDraining, prepared.isEmpty,
            wokenCount == 0, holder == nil,
            case .run(let plan) = decide(now: now)
        else { return nil }
        return queue.take(plan)
    }

    /// A caller has run its batch and gives the lease back.
    ///
    /// - Returns: whether the instance's worker is to be woken, because work has come meanwhile.
    package mutating func release(instance: Int, now: UInt64) -> Bool {
        guard leaving.remove(instance) == nil else {
            // Its worker comes to end, and has another see to what waits.
            instances[instance] = .removed
            return true
        }
        let hasWork = isDraining || !prepared.isEmpty || hasUnclaimedWork(now: now)
        if hasWork {
            instances[instance] = .woken
            wokenCount += 1
        } else {
            instances[instance] = .parked
            parked.append(instance)
        }
        return hasWork
    }

    /// Whether something waits that neither a worker on its way nor the one that holds a batch back will take.
    private mutating func hasUnclaimedWork(now: UInt64) -> Bool {
        switch decide(now: now) {
        case .empty: false
        case .wait: holder == nil && wokenCount == 0
        case .run: needsAnotherWorker
        }
    }

    /// Whether more is waiting than the workers on their way will take in one batch each.
    private var needsAnotherWorker: Bool {
        let perWorker = options.combinesRequests ? options.maxBatchSize : 1
        let (claimed, overflow) = wokenCount.multipliedReportingOverflow(by: perWorker)
        let waiting = options.combinesRequests ? queue.items : queue.count
        return !overflow && waiting > claimed || prepared.count > wokenCount
    }

    private mutating func wakeForWork() -> Int? {
        guard needsAnotherWorker else { return nil }
        if let holder {
            self.holder = nil
            instances[holder] = .woken
            wokenCount += 1
            return holder
        }
        return wakeParked()
    }

    private mutating func wakeParked() -> Int? {
        guard let instance = parked.popLast() else { return nil }
        instances[instance] = .woken
        wokenCount += 1
        return instance
    }

    /// After an instance has gone: another worker for what waits, the one that holds a batch back included.
    private mutating func wakeInPlace(now: UInt64) -> Int? {
        if !prepared.isEmpty { return wakeForWork() }
        switch decide(now: now) {
        case .run: return wakeForWork()
        case .wait: return holder == nil && wokenCount == 0 ? wakeParked() : nil
        case .empty: return nil
        }
    }

    /// After a batch was taken: another worker, if there is one to spare and work for it.
    private mutating func wakeForMore(now: UInt64) -> Int? {
        guard !parked.isEmpty, !(queue.isEmpty && prepared.isEmpty) else { return nil }
        if !prepared.isEmpty { return wakeForWork() }
        switch decide(now: now) {
        case .run: return wakeForWork()
        case .wait: return holder == nil && wokenCount == 0 ? wakeParked() : nil
        case .empty: return nil
        }
    }

    // MARK: Looking

    /// Requests that do not run yet: those in the queue and those in batches that were formed ahead of time.
    package var waitingCount: Int { queue.count + requestsAhead }

    /// Instances that execute, whoever runs them.
    package var busyCount: Int { instances.count { $0 == .running || $0 == .leased } }

    // MARK: Stopping

    /// Takes nothing new from now on and holds nothing back. Every worker is to be woken, to finish what waits and
    /// exit.
    package mutating func drain() {
        guard !isDraining else { return }
        isDraining = true
        parked.removeAll()
        holder = nil
        for instance in instances.indices {
            switch instances[instance] {
            case .parked, .holding, .blocked:
                instances[instance] = .woken
                wokenCount += 1
            case .woken, .running, .leased, .lost, .removed: break
            }
        }
    }

    /// Gives up what still waits: returns it, in the order of arrival.
    package mutating func abandon() -> [QueuedRequest] {
        let batched = prepared.flatMap(\.requests)
        prepared.removeAll()
        requestsAhead -= batched.count
        return (batched + queue.removeAll()).sorted { $0.sequence < $1.sequence }
    }

    /// Whether no instance is left to run what waits.
    package var isDeserted: Bool { instances.allSatisfy { $0 == .lost || $0 == .removed } }

    /// Whether the model is being stopped and nothing waits or runs any more.
    package var isDrained: Bool {
        isDraining && queue.isEmpty && prepared.isEmpty && preparing == 0 && !instances.contains(.running)
            && !instances.contains(.leased)
    }
}
