internal import Scheduling
internal import Tensors

/// The scheduler of a model without sequences, with the requests that it knows by number.
struct BatchingMachine: CrewMachine {
    typealias Work = Batch<TakenRequest>
    typealias Duty = BatchDuty

    /// What comes of a request beside what all events may have to be done.
    enum FollowUp {
        case nothing
        /// The caller holds the lease of that instance now and runs this batch, which is its own request alone.
        case runHere(instance: Int, Work)
        /// The caller gathers these requests' inputs ahead of time and says so with ``prepared(_:_:)``.
        case prepare(Batch<QueuedRequest>, [PendingRequest])
    }

    private var scheduler: SchedulerMachine
    private var requests = RequestTable<PendingRequest>()
    private let formations: BatchFormations?

    /// - Parameter formations: where the model has a say in which requests share a batch.
    init(options: SchedulingOptions, instanceCount: Int, formations: BatchFormations? = nil) {
        self.formations = formations
        scheduler = SchedulerMachine(
            options: options, instanceCount: instanceCount, admission: formations?.admission)
    }

    // MARK: Requests

    /// Takes in a request.
    ///
    /// - Parameters:
    ///   - queued: what the scheduler is to know of it; its number is given in here.
    ///   - callerMayRun: whether the caller would run its request on its own thread.
    mutating func enqueue(
        _ request: PendingRequest, _ queued: QueuedRequest, callerMayRun: Bool, _ effects: inout Effects
    ) -> Result<(handle: RequestHandle, followUp: FollowUp), Refusal> {
        var queued = queued
        queued.id = requests.add(request)
        formations?.add(request, as: queued.id)
        do throws(HalcyonError) {
            let (handle, followUp) = try scheduler.enqueue(
                queued, callerMayRun: callerMayRun, now: queued.enqueueTime)
            switch followUp {
            case .nothing: return .success((handle, .nothing))
            case .wake(let instance):
                effects.wake(instance)
                return .success((handle, .nothing))
            case .runHere(let instance, let batch): return .success((handle, .runHere(instance: instance, take(batch))))
            case .prepare(let batch):
                let waiting = batch.requests.compactMap { requests.request($0.id) }
                return .success((handle, .prepare(batch, waiting)))
            }
        } catch {
            _ = requests.remove(queued.id)
            formations?.drop(queued.id)
            return .failure(Refusal(error, isDraining: scheduler.isDraining))
        }
    }

    /// A batch's inputs have been gathered.
    mutating func prepared(_ batch: Batch<QueuedRequest>, _ effects: inout Effects) {
        effects.wake(scheduler.batchPrepared(batch))
    }

    /// Takes out a request whose caller has gone, if it still waits.
    mutating func cancel(_ handle: RequestHandle, now: UInt64, _ effects: inout Effects) -> TakenRequest? {
        let (request, wake) = scheduler.cancel(handle, now: now)
        effects.wake(wake)
        return request.flatMap { take($0) }
    }

    private mutating func take(_ queued: QueuedRequest) -> TakenRequest? {
        formations?.remove(queued)
        let turn = scheduler.options.preserveOrdering ? ResponseTurn(lane: 0, number: queued.sequence) : nil
        return requests.remove(queued.id).map { TakenRequest(request: $0, turn: turn) }
    }

    private mutating func take(_ queued: [QueuedRequest]) -> [TakenRequest] { queued.compactMap { take($0) } }

    private mutating func take(_ batch: Batch<QueuedRequest>) -> Work {
        Batch(
            requests: take(batch.requests), size: batch.size, reason: batch.reason, leftWaiting: batch.leftWaiting)
    }

    /// Learns what a batch took.
    mutating func executed(size: Int, duration: UInt64) { scheduler.executed(size: size, duration: duration) }

    // MARK: Callers

    /// A caller has run its batch and would rather run what came meanwhile than have a worker woken for it.
    mutating func nextForCaller(instance: Int, now: UInt64) -> Work? {
        scheduler.nextForCaller(instance: instance, now: now).map { take($0) }
    }

    /// A caller has run its batch and gives the lease back.
    mutating func release(instance: Int, now: UInt64, _ effects: inout Effects) {
        if scheduler.release(instance: instance, now: now) { effects.wake(instance) }
    }

    // MARK: Workers

    mutating func next(
        instance: Int, now: UInt64, _ effects: inout Effects
    ) -> (step: WorkerStep<Work>, ended: [Int]) {
        switch scheduler.nextBatch(instance: instance, now: now) {
        case .run(let batch, let wake):
            effects.wake(wake)
            return (.run(take(batch)), [])
        case .hold(let until): return (.hold(until: until), [])
        case .park: return (.park, [])
        case .exit: return (.end, [])
        case .leave(let wake):
            effects.wake(wake)
            return (.end, [])
        }
    }

    mutating func hasWork(instance: Int, now: UInt64) -> Bool { scheduler.hasBatch(now: now) }

    /// What waits is another instance's, if one is free.
    mutating func block(instance: Int, now: UInt64, _ effects: inout Effects) {
        effects.wake(scheduler.block(instance: instance, now: now))
    }

    func isIdleForGood(instance: Int) -> Bool { scheduler.isDrained || scheduler.isRemoved(instance) }

    // MARK: Instances

    var activeInstances: [Int] { scheduler.instances.indices.filter { !scheduler.isRemoved($0) } }
    var activeCount: Int { scheduler.activeCount }

    mutating func add(count: Int, now: UInt64, _ effects: inout Effects) -> Range<Int> { scheduler.add(count: count) }

    mutating func remove(instance: Int, now: UInt64, _ effects: inout Effects) -> Bool {
        let hasWorker = scheduler.instances[instance] != .lost
        let wakes = scheduler.remove(instance: instance, now: now)
        for wake in wakes { effects.wake(wake) }
        return hasWorker && wakes.contains(instance)
    }

    func isRemoved(_ instance: Int) -> Bool { scheduler.isRemoved(instance) }

    mutating func lose(instance: Int, now: UInt64, _ effects: inout Effects) -> [TakenRequest] {
        effects.wake(scheduler.lose(instance: instance, now: now))
        return []
    }

    mutating func replace(instance: Int, now: UInt64, _ effects: inout Effects) {
        scheduler.replace(instance: instance)
        effects.wake(instance)
    }

    mutating func suffer(_ outage: Outage, now: UInt64, _ effects: inout Effects) {
        effects.end(take(scheduler.suffer(outage, now: now)), outage.error(now: now), .rejected(.noInstance))
    }

    // MARK: Time and stopping

    mutating func nextExpiry() -> UInt64? { scheduler.nextExpiry() }

    mutating func expire(now: UInt64, _ effects: inout Effects) {
        let (rejected, wake) = scheduler.expire(now: now)
        effects.wake(wake)
        effects.end(take(rejected), HalcyonError(.unavailable, "Request timeout expired"), .rejected(.timeout))
    }

    mutating func drain() { scheduler.drain() }

    mutating func abandon() -> [TakenRequest] { take(scheduler.abandon()) }

    var isDraining: Bool { scheduler.isDraining }
    var isDeserted: Bool { scheduler.isDeserted }
    var isDrained: Bool { scheduler.isDrained }
    var waitingCount: Int { scheduler.waitingCount }
    var busyCount: Int { scheduler.busyCount }
}
