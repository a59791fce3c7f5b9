import ModelConfigurations
import Scheduling

extension QueuedRequest {
    static func test(
        _ id: Int, size: Int = 1, level: Int = 0, shape: ShapeKey = .fixed, at time: UInt64 = 0, timeout: UInt64 = 0
    ) -> QueuedRequest {
        QueuedRequest(
            id: id, batchSize: size, level: level, shape: shape, enqueueTime: time,
            requestedTimeout: timeout)
    }
}

extension Batch<QueuedRequest> {
    var ids: [Int] { requests.map(\.id) }
}

/// Scheduling options as a configuration would give them.
func options(
    maxBatchSize: Int = 8, batching: DynamicBatching? = DynamicBatching(), eager: Bool = false
) -> SchedulingOptions {
    var configuration = ModelConfiguration(name: "test")
    configuration.maxBatchSize = maxBatchSize
    configuration.dynamicBatching = batching
    configuration.optimization.eagerBatching = eager
    return SchedulingOptions(configuration)
}

extension SchedulerMachine.WorkerAction {
    var batch: Batch<QueuedRequest>? {
        if case .run(let batch, _) = self { batch } else { nil }
    }

    var wake: Int? {
        if case .run(_, let wake) = self { wake } else { nil }
    }

    var holdsUntil: UInt64? {
        if case .hold(let until) = self { until } else { nil }
    }

    var isPark: Bool {
        if case .park = self { true } else { false }
    }

    var isExit: Bool {
        if case .exit = self { true } else { false }
    }
}

extension SchedulerMachine.FollowUp {
    var wake: Int? {
        if case .wake(let instance) = self { instance } else { nil }
    }

    var ran: Batch<QueuedRequest>? {
        if case .runHere(_, let batch) = self { batch } else { nil }
    }

    var prepares: Batch<QueuedRequest>? {
        if case .prepare(let batch) = self { batch } else { nil }
    }

    var isNothing: Bool {
        if case .nothing = self { true } else { false }
    }
}

extension SchedulerMachine {
    /// Enqueues without running on the caller; a test that expects a refusal calls the real method.
    @discardableResult
    mutating func add(_ request: QueuedRequest, callerMayRun: Bool = false) throws -> (
        handle: RequestHandle, followUp: FollowUp
    ) {
        try enqueue(request, callerMayRun: callerMayRun, now: request.enqueueTime)
    }
}

/// Pseudo-random numbers that a seed repeats (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
