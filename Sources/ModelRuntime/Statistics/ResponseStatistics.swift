/// The n-th responses of a decoupled model's requests.
public struct ResponseStatistics: Hashable, Sendable {
    /// The most responses of a request that are counted apart; what follows counts with the last of them.
    public static let maximumIndex = 1023

    /// From the response before, or from the beginning of the execution, to this one.
    public var computeInfer = DurationStatistic()
    /// Responses with outputs.
    public var success = DurationStatistic()
    /// Errors.
    public var fail = DurationStatistic()
    /// Ends of requests, which bring nothing but the news of the end.
    public var empty = DurationStatistic()

    /// Statistics of responses of which there were none yet.
    public init() {}
}
