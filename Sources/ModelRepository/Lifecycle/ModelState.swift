/// Where a model version stands between its folder and its first request; the reference's names.
public enum ModelState: String, Hashable, Sendable, CaseIterable {
    case unavailable = "UNAVAILABLE"
    case loading = "LOADING"
    case ready = "READY"
    case unloading = "UNLOADING"
}
