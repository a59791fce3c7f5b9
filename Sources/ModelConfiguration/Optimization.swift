/// The part of `optimization` that the engine acts on.
public struct Optimization: Hashable, Sendable {
    /// Whether the next batch is gathered before an instance is free to run it.
    public var eagerBatching: Bool

    public init(eagerBatching: Bool = false) { self.eagerBatching = eagerBatching }
}
