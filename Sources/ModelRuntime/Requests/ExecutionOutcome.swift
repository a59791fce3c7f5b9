internal import Scheduling
internal import Tensors

/// What came of an execution.
struct ExecutionOutcome {
    /// One response a request, in order; or why the execution failed.
    var responses: Result<[InferenceResponse], HalcyonError>
    /// Meaningful where it succeeded.
    var stages: StatisticsCollector.Stages
}

/// What was executed at once.
struct ExecutedBatch {
    var requests: [TakenRequest]
    /// Rows that the model ran on.
    var rows: Int
    /// Those of them that belong to a request.
    var items: Int
    var reason: BatchReason
    /// Requests that went on waiting when it was taken.
    var leftWaiting = 0
}
