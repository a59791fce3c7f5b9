package import Tensors

/// The sentences of everything that can be wrong with a request of a sequence; Triton's, as clients look for them.
struct SequenceErrors: Sendable {
    let modelName: String

    var batchSize: HalcyonError {
        HalcyonError(
            .invalidArgument,
            "inference request to model '\(modelName)' must specify batch-size 1 due to requirements of sequence "
                + "batcher")
    }

    var noCorrelation: HalcyonError {
        HalcyonError(
            .invalidArgument,
            "inference request to model '\(modelName)' must specify a non-zero or non-empty correlation ID")
    }

    func notStarted(_ correlation: CorrelationID) -> HalcyonError {
        HalcyonError(
            .invalidArgument,
            "inference request for sequence \(correlation) to model '\(modelName)' must specify the START flag on the "
                + "first request of the sequence")
    }

    func lost(_ correlation: CorrelationID) -> HalcyonError {
        HalcyonError(
            .invalidArgument,
            "sequence \(correlation) to model '\(modelName)' has ended, as the instance that held it was given up, "
                + "or its worker process is gone: the next request must specify the START flag")
    }

    var stopping: HalcyonError {
        HalcyonError(
            .unavailable,
            "Server is stopping, scheduler for model has stopped accepting new inference requests")
    }

    func queueFull(_ limit: Int) -> HalcyonError {
        HalcyonError(.unavailable, "Exceeds maximum queue size: \(limit) requests wait already")
    }
}

extension HalcyonError {
    /// For the requests of a sequence that got no slot in time.
    package static let sequenceTimedOut = HalcyonError(
        .unavailable, "timeout of the corresponding sequence has been expired")
}
