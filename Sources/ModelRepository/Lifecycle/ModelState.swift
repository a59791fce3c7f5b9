/// Where a model version stands between its folder and its first request; Triton's names.
public enum ModelState: String, Hashable, Sendable, CaseIterable {
    /// It failed, or was unloaded; the index says why.
    case unavailable = "UNAVAILABLE"
    /// It is being loaded for the first time.
    case loading = "LOADING"
    /// It serves.
    case ready = "READY"
    /// It takes no new requests, and finishes those it has.
    case unloading = "UNLOADING"
}
