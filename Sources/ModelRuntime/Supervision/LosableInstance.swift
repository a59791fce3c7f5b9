package import Tensors

/// An instance that may go by itself, executing or not: it needs a process that can end, for instance.
///
/// It runs on its own worker only. When it has gone it fails what it had taken on, and whatever it is given after that.
package protocol LosableInstance: ModelInstance {
    /// Whether it can go at all, which does not change.
    var mayBeLost: Bool { get }

    /// Has that called once it has gone, on any thread; at once where it has.
    func whenLost(_ handler: @escaping @Sendable (HalcyonError) -> Void)
}
