internal import Tensors

/// Why a scheduler has not taken a request.
struct Refusal: Error {
    var error: HalcyonError
    var cause: StatisticsCollector.FailureCause

    /// - Parameter isDraining: whether the model takes no more requests.
    init(_ error: HalcyonError, isDraining: Bool) {
        guard error.code == .unavailable else {
            self.error = error
            cause = .other
            return
        }
        self.error = error
        cause = .rejected(isDraining ? .stopping : error.retryAfter == nil ? .queueFull : .noInstance)
    }
}
