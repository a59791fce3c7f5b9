/// Which versions of a model are served (`version_policy`).
public enum VersionPolicy: Hashable, Sendable {
    /// The highest-numbered versions, that many.
    case latest(Int)
    case all
    case specific([Int64])
}
