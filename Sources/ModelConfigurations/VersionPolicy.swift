/// Which versions of a model are served (`version_policy`).
public enum VersionPolicy: Hashable, Sendable {
    /// The highest-numbered versions, that many.
    case latest(Int)
    /// All versions in the folder.
    case all
    /// The versions of these numbers; one that is not in the folder is left out.
    case specific([Int64])
}
