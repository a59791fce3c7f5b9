internal import Tensors
internal import Threads

/// Waits on a thread of its own, which may block, for what only tasks do.
enum Awaited {
    /// Not for use on Swift's cooperative pool.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) throws(HalcyonError) -> Value {
        let result = Locked<Result<Value, HalcyonError>?>(nil)
        let parker = Parker()
        Task {
            let outcome: Result<Value, HalcyonError>
            do {
                outcome = .success(try await body())
            } catch {
                outcome = .failure(HalcyonError(wrapping: error))
            }
            result.withLock { $0 = outcome }
            parker.unpark()
        }
        while true {
            if let outcome = result.withLock({ $0 }) { return try outcome.get() }
            parker.park()
        }
    }
}
