/// Why a request got an error; Triton's names.
public enum FailureReason: String, Hashable, Sendable, CaseIterable {
    /// Its caller took it back while it waited.
    case canceled = "CANCELED"
    /// It never ran, as the server had no room or no time for it: see ``RejectionReason``.
    case rejected = "REJECTED"
    /// Its batch failed: the engine threw, or gave what the configuration does not promise.
    case backend = "BACKEND"
    /// Anything else, an invalid request for instance.
    case other = "OTHER"
}
