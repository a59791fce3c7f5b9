internal import Scheduling
internal import Tensors

/// Which requests of an ensemble run, and which wait until fewer do: as a value that knows them by number. Times are
/// the clock's nanoseconds.
///
/// Those that may start are started one after the other: a start may end a request at once, which lets the next one
/// start.
struct EnsembleAdmission: Sendable {
    /// What becomes of a request.
    enum Entry: Sendable {
        /// It is to be started, which is the caller's to do at once.
        case start
        /// It is started when its turn comes: ``next()``.
        case waits(RequestHandle)
        case refused(HalcyonError)
    }

    /// Requests that may run at a time; 0 for any number.
    private let limit: Int
    private var queue: RequestQueue
    private var isStarting = false
    private var running = 0
    private(set) var isDraining = false

    init(limit: Int) {
        self.limit = limit
        queue = RequestQueue(
            options: SchedulingOptions(maxBatchSize: 1, levels: [.init(allowTimeoutOverride: true)]))
    }

    /// Requests that wait.
    var waitingCount: Int { queue.count }

    /// Takes in a request.
    ///
    /// - Parameter timeout: how long it waits; 0 for as long as it takes.
    mutating func enter(_ id: Int, timeout: Nanoseconds, now: Nanoseconds) -> Entry {
        guard !isDraining else {
            return .refused(
                HalcyonError(.unavailable, "the model is being stopped and takes no more requests"))
        }
        guard limit > 0 else {
            running += 1
            return .start
        }
        return .waits(queue.add(QueuedRequest(id: id, enqueueTime: now, requestedTimeout: timeout)))
    }

    /// The request that starts next. Whoever gets one says ``started()`` after it has, and asks again; meanwhile nobody
    /// else gets one.
    mutating func next() -> Int? {
        guard !isStarting, running < limit, let request = queue.popFirst() else { return nil }
        isStarting = true
        running += 1
        return request.id
    }

    mutating func started() { isStarting = false }

    /// A request has ended that was started.
    mutating func ended() { running -= 1 }

    /// Takes out a request that has not started.
    mutating func withdraw(_ handle: RequestHandle) -> Int? { queue.remove(handle)?.id }

    /// When the next request has waited for too long.
    mutating func nextExpiry() -> Nanoseconds? { queue.nextExpiry }

    /// Takes out those that have.
    mutating func expire(now: Nanoseconds) -> [Int] { queue.expire(now: now).rejected.map(\.id) }

    /// Takes no more requests. Those that wait still have their turn.
    mutating func drain() { isDraining = true }

    /// Takes out all that wait.
    mutating func abandon() -> [Int] { queue.removeAll().map(\.id) }

    /// Whether nothing waits or runs any more.
    var isIdle: Bool { running == 0 && queue.isEmpty }
}
