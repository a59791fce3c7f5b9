/// What a backend can do with a GPU.
public enum GPUSupport: Hashable, Sendable {
    /// Its models run on the processor only.
    case none
    /// They could run on one, but the engine's library that is installed lacks what that takes. Groups that leave the
    /// choice are placed on the processor; loading one that has to be on a GPU is an error that says what to install.
    case notInstalled
    /// Its models run on a GPU.
    case available
}
