/// What was left over when a server stopped.
public struct ShutdownReport: Hashable, Sendable {
    /// Requests that were still waiting when the exit timeout was over, by model. Each got an `unavailable` error.
    public var droppedRequests: [String: Int]

    /// Whether every request was finished.
    public var isClean: Bool { droppedRequests.isEmpty }
}
