package import Logging
package import Tensors
package import Threads

/// What the executors of all models of a server share: its clocks, its limits, and where it keeps and tells things.
package struct ExecutionEnvironment: Sendable {
    package var clock: any SchedulingClock
    package var timer: DeadlineTimer
    package var log: Logger
    /// Where models keep answers that want to; `nil` for no cache.
    package var cache: (any AnswerCache)?
    /// What instances share; `nil` where the server limits no rates.
    package var resources: ResourceGate?
    /// How long an execution may take before its instance is given up, in nanoseconds; 0 for as long as it takes. What
    /// a model's own configuration says comes first.
    package var executionTimeout: UInt64 = 0
    /// What summaries of latencies show; empty for no summaries.
    package var summaryQuantiles: [SummaryQuantile] = []
    /// The last batches of each model that are kept to be looked at; 0 for none.
    package var recordedBatches = 0
    /// Where memory of GPUs, and memory that they reach directly, comes from; `nil` for ordinary memory only.
    package var memory: (any MemoryProvider)?

    package init(clock: any SchedulingClock, timer: DeadlineTimer, log: Logger) {
        self.clock = clock
        self.timer = timer
        self.log = log
    }
}
