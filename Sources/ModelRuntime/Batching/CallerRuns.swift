internal import Scheduling
internal import Synchronization
internal import Tensors
internal import Threads

/// Requests that run on the thread of whoever hands them in, where an instance is idle: waking a worker and being woken
/// costs more than many models.
struct CallerRuns: Sendable {
    /// Bytes of inputs up to which a caller that must not block runs a request itself.
    private static let shortInput = 256 << 10
    /// Batches that a caller runs at most before it gives the instance back: its own, and what came meanwhile.
    private static let limit = 8

    private let crew: InstanceCrew<BatchingMachine>

    init(_ crew: InstanceCrew<BatchingMachine>) { self.crew = crew }

    /// Whether a request may run on its caller's thread. A caller has no patience for resources that others hold, nor
    /// for an engine that does not come back, and its thread is not bound as an instance's may be.
    func mayRun(on caller: CallerThread, _ inputs: [Tensor]) -> Bool {
        guard !CallerRun.isActive, crew.supervisor == nil, crew.isFree.load(ordering: .relaxed) else { return false }
        return switch caller {
        case .blocking: crew.model.mayRunOnBlockingCallerThread
        case .foreign: false
        case .nonBlocking:
            // Executions that were short say nothing of one that has far more to do.
            crew.model.mayRunOnCallerThread && crew.duty.pace.isShort
                && inputs.reduce(0) { $0 + $1.data.byteCount } <= Self.shortInput
        }
    }

    /// Runs a batch on the calling thread, which holds the instance's lease, and gives the lease back.
    func run(_ first: Batch<TakenRequest>, on instance: Int) {
        var next: Batch<TakenRequest>? = first
        var runs = 0
        while let batch = next {
            CallerRun.active { _ = crew.duty.run(batch, on: instance, crew.members[instance], of: crew) }
            runs += 1
            // What others have handed in meanwhile is done sooner here than by a worker that has to be woken first.
            guard runs < Self.limit, crew.duty.pace.isShort else { break }
            let now = crew.clock.now()
            next = crew.ask { $0.nextForCaller(instance: instance, now: now) }
        }
        let now = crew.clock.now()
        crew.perform { $0.release(instance: instance, now: now, &$1) }
    }
}
