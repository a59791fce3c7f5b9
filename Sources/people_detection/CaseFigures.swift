internal import Halcyon

/// What one case measured, as far as tables and comparisons need it. Times are in milliseconds.
struct CaseFigures: Codable, Hashable {
    /// The executions of one batch size.
    struct Batch: Codable, Hashable {
        var size: Int
        var executions: Int
        /// The mean of its requests.
        var queue: Double
        /// The means of its executions.
        var computeInput: Double
        var computeInfer: Double
        var computeOutput: Double
    }

    /// What has to be the same for two cases to be compared.
    struct Work: Codable, Hashable {
        var model: String
        var images: [String]
        var threads: Int
        var repetitions: Int

        var requests: Int { threads * repetitions }
    }

    /// How the repository has the model run.
    struct Setup: Codable, Hashable {
        var instances: Int
        var usesBatches: Bool
        var maxBatchSize: Int
    }

    /// The name of the repository's folder.
    var repository: String
    var work: Work
    var setup: Setup
    /// The name of the model's file.
    var file: String
    /// Whether the file holds weights in INT8.
    var isInt8: Bool
    /// From the start of the first request to the end of the last.
    var total: Double
    var executions: Int
    var largestBatch: Int
    /// The means of all requests.
    var queue: Double
    var computeInput: Double
    var computeInfer: Double
    var computeOutput: Double
    /// Ascending by size.
    var batches: [Batch]
    /// Why batches were closed, and how many for that reason, the most frequent first.
    var reasons: [String]
}

extension CaseFigures {
    /// - Parameters:
    ///   - configuration: the model's, as it takes effect.
    ///   - isInt8: whether the model's file holds weights in INT8.
    init(
        repository: String, work: Work, total: Double, statistics: ModelStatistics, configuration: ModelConfiguration,
        isInt8: Bool
    ) {
        let mean = { (duration: DurationStatistic) in duration.mean / .milliseconds(1) }
        self.repository = repository
        self.work = work
        setup = Setup(
            instances: configuration.instanceGroups.reduce(0) { $0 + $1.count },
            usesBatches: configuration.dynamicBatching != nil, maxBatchSize: configuration.maxBatchSize)
        file = configuration.defaultModelFilename
        self.isInt8 = isInt8
        self.total = total
        executions = Int(clamping: statistics.executionCount)
        largestBatch = statistics.largestBatch
        queue = mean(statistics.queue)
        computeInput = mean(statistics.computeInput)
        computeInfer = mean(statistics.computeInfer)
        computeOutput = mean(statistics.computeOutput)
        batches = statistics.batches.map { batch in
            Batch(
                size: batch.batchSize, executions: Int(clamping: batch.computeInfer.count), queue: mean(batch.queue),
                computeInput: mean(batch.computeInput), computeInfer: mean(batch.computeInfer),
                computeOutput: mean(batch.computeOutput))
        }
        reasons = statistics.batchReasons.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.key.rawValue) \($0.value)" }
    }

    /// The time that instances spent in the engine, all executions together.
    var busy: Double { batches.reduce(0) { $0 + Double($1.executions) * $1.computeInfer } }
}
