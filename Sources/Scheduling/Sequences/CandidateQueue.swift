internal import ModelConfiguration

/// One instance's requests under the strategy "oldest" whose turn it is: the first waiting request of each sequence that
/// has a slot and does not run. They are batched by the rules of models without sequences, in the order in which their
/// turns came; the delay, too, counts from there.
struct CandidateQueue: Sendable {
    /// What the queue carries in place of a request.
    private final class Candidate: Sendable {
        let slot: Int
        init(slot: Int) { self.slot = slot }
    }

    private let planner: BatchPlanner
    private var queue: RequestQueue
    /// One a slot, made when the slot is first used.
    private var candidates: [Candidate] = []

    init(maxBatchSize: Int, preferredBatchSizes: [Int], maxQueueDelayMicroseconds: UInt64) {
        var configuration = ModelConfiguration(name: "")
        configuration.maxBatchSize = maxBatchSize
        configuration.dynamicBatching = DynamicBatching(
            preferredBatchSizes: preferredBatchSizes, maxQueueDelayMicroseconds: maxQueueDelayMicroseconds)
        let options = SchedulingOptions(configuration)
        planner = BatchPlanner(options: options)
        queue = RequestQueue(options: options)
    }

    var isEmpty: Bool { queue.isEmpty }

    mutating func add(slot: Int, shape: ShapeKey, now: UInt64) -> RequestHandle {
        while candidates.count <= slot { candidates.append(Candidate(slot: candidates.count)) }
        return queue.add(QueuedRequest(payload: candidates[slot], shape: shape, enqueueTime: now))
    }

    /// Takes one out, and says which turn it had.
    mutating func remove(_ handle: RequestHandle) -> UInt64? { queue.remove(handle)?.sequence }

    func decide(now: UInt64, isDraining: Bool) -> BatchDecision {
        planner.decide(queue, now: now, isDraining: isDraining)
    }

    mutating func take(_ plan: BatchPlan) -> [(slot: Int, turn: UInt64)] {
        queue.take(plan).requests.compactMap { request in
            (request.payload as? Candidate).map { ($0.slot, request.sequence) }
        }
    }
}
