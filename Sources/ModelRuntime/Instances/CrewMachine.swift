internal import Scheduling
internal import Tensors

/// What a worker does next.
enum WorkerStep<Work: Sendable>: Sendable {
    case run(Work)
    /// Come back at that time, in nanoseconds, or when woken.
    case hold(until: UInt64)
    /// Sleep until woken.
    case park
    /// The model is stopped, or the instance removed, and there is nothing left to run on it.
    case end
}

/// Which of a crew's instances does what, and when: a value without threads and clocks, with the requests that wait.
///
/// Every event says what is to be done in ``Effects``; numbers are those of instances, times the clock's nanoseconds.
protocol CrewMachine: Sendable {
    /// What an instance executes at once.
    associatedtype Work: Sendable
    /// Who has it executed.
    associatedtype Duty: CrewDuty where Duty.Machine == Self

    // MARK: Workers

    /// A worker is free, or was woken, or its time to hold back is over.
    ///
    /// - Returns: what it does; and the slots of its sequences that have ended, for which nothing is kept any more.
    mutating func next(
        instance: Int, now: UInt64, _ effects: inout Effects
    ) -> (step: WorkerStep<Work>, ended: [Int])

    /// Whether a worker that asked now would get something to run.
    mutating func hasWork(instance: Int, now: UInt64) -> Bool

    /// A worker can't execute yet, as its instance lacks resources.
    mutating func block(instance: Int, now: UInt64, _ effects: inout Effects)

    /// Whether a worker that waits for resources has nothing to wait for any more.
    func isIdleForGood(instance: Int) -> Bool

    // MARK: Instances

    /// Those that take work, ascending.
    var activeInstances: [Int] { get }
    var activeCount: Int { get }

    /// There are new instances, with workers on their way.
    mutating func add(count: Int, now: UInt64, _ effects: inout Effects) -> Range<Int>

    /// An instance takes nothing more. It finishes what it has.
    ///
    /// - Returns: whether nothing keeps it: its worker ends at once.
    mutating func remove(instance: Int, now: UInt64, _ effects: inout Effects) -> Bool

    func isRemoved(_ instance: Int) -> Bool

    /// A worker does not come back from an execution, and nobody waits for it any longer; or its instance has gone.
    ///
    /// - Returns: the requests that have lost what they need with it.
    mutating func lose(instance: Int, now: UInt64, _ effects: inout Effects) -> [TakenRequest]

    /// There is a new worker for an instance that was lost.
    mutating func replace(instance: Int, now: UInt64, _ effects: inout Effects)

    /// No instance is left, and none will be for a while: those that do not wait so long end.
    mutating func suffer(_ outage: Outage, now: UInt64, _ effects: inout Effects)

    // MARK: Time

    /// When ``expire(now:_:)`` has something to do next.
    mutating func nextExpiry() -> UInt64?

    /// Acts on the timeouts that have passed.
    mutating func expire(now: UInt64, _ effects: inout Effects)

    // MARK: Stopping

    /// Takes nothing new from now on. Every worker is to be woken.
    mutating func drain()

    /// Gives up what still waits.
    mutating func abandon() -> [TakenRequest]

    var isDraining: Bool { get }
    /// Whether no instance is left to run what waits.
    var isDeserted: Bool { get }
    /// Whether the model is being stopped and nothing waits or runs any more.
    var isDrained: Bool { get }

    /// Requests that have not run yet.
    var waitingCount: Int { get }
    /// Instances that execute.
    var busyCount: Int { get }
}

/// Has a crew's work executed.
protocol CrewDuty: AnyObject, Sendable {
    associatedtype Machine: CrewMachine where Machine.Duty == Self
    /// What a worker keeps from one execution to the next.
    associatedtype Memory

    var completion: Completion { get }

    /// What a worker begins with.
    func makeMemory() -> Memory

    /// Releases what is kept for those slots.
    func forget(_ slots: [Int], _ memory: inout Memory)

    /// Executes, and sees to it that every request is answered.
    ///
    /// - Returns: whether the instance goes on; if not, it was given up meanwhile, and what it had is answered.
    func run(
        _ work: Machine.Work, on instance: Int, _ member: CrewMember, _ memory: inout Memory,
        of crew: InstanceCrew<Machine>
    ) -> Bool

    /// Answers what an instance executes that is waited for no longer.
    func giveUp(_ work: Machine.Work, on instance: Int, _ error: HalcyonError)

    /// Whether no request that an instance has taken on is still to be answered by it.
    var isIdle: Bool { get }

    /// What the end of an instance means beyond its work, for the sentence that says so; may be empty.
    var lossNote: String { get }
}
