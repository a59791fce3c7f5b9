internal import Tensors

/// An instance that is handed requests as they came: it gathers them itself where it likes to, and answers each when it
/// likes, from any thread.
package protocol RequestTakingInstance: ModelInstance {
    /// Takes on the requests of a batch. The instance is free for the next batch when this returns, whatever answers
    /// are still to come.
    ///
    /// - Parameter statistics: where it says what an execution took, as long as it likes.
    /// - Throws: any error; it ends those that have not ended.
    func execute(_ requests: [HandedRequest], _ statistics: BatchStatisticsSink) throws
}

/// Where an instance says what the execution of a batch took.
package struct BatchStatisticsSink: Sendable {
    private let statistics: StatisticsCollector

    init(_ statistics: StatisticsCollector) { self.statistics = statistics }

    /// - Parameter batchSize: items that were executed at once.
    package func executed(batchSize: Int, _ stages: StatisticsCollector.Stages) {
        statistics.recordExecution(batchSize: batchSize, stages: stages.ordered(after: 0))
    }

    /// A response was given, number `index` of its request.
    package func responded(index: Int, isSuccess: Bool, isEmpty: Bool, duration: UInt64) {
        statistics.recordResponse(
            index: index, isSuccess ? (isEmpty ? .empty : .success) : .fail, duration: duration)
    }
}
