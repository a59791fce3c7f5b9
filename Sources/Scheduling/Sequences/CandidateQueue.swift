/// One instance's requests under the strategy "oldest" whose turn it is: the first waiting request of each sequence
/// that has a slot and does not run. They are batched by the rules of models without sequences, in the order in which
/// their turns came; the delay, too, counts from there. A request's number in here is its slot's.
struct CandidateQueue: Sendable {
    private let planner: BatchPlanner
    private var queue: RequestQueue

    init(options: SchedulingOptions) {
        planner = BatchPlanner(options: options)
        queue = RequestQueue(options: options)
    }

    var isEmpty: Bool { queue.isEmpty }

    mutating func add(slot: Int, shape: ShapeKey, now: UInt64) -> RequestHandle {
        queue.add(QueuedRequest(id: slot, shape: shape, enqueueTime: now))
    }

    /// Takes one out, and says which turn it had.
    mutating func remove(_ handle: RequestHandle) -> UInt64? { queue.remove(handle)?.sequence }

    mutating func decide(now: UInt64, isDraining: Bool) -> BatchDecision {
        planner.decide(&queue, now: now, isDraining: isDraining)
    }

    mutating func take(_ plan: BatchPlan) -> [(slot: Int, turn: UInt64)] {
        queue.take(plan).requests.map { ($0.id, $0.sequence) }
    }
}
