package import Tensors

/// Where the answers of models are kept for requests that are equal to earlier ones. Any thread may call.
package protocol AnswerCache: AnyObject, Sendable {
    /// What was kept for a request; `nil` for nothing.
    func outputs(for key: CacheKey) -> [Tensor]?

    /// Keeps the outputs, or does not.
    func insert(_ outputs: [Tensor], for key: CacheKey)

    /// A loaded version is gone: what it has answered is not asked for any more.
    func removeAll(of model: UInt64)

    /// How full it is; `nil` where it does not say.
    var currentUsage: CacheUsage? { get }
}

extension ResponseCache: AnswerCache {
    package var currentUsage: CacheUsage? { usage }
}
