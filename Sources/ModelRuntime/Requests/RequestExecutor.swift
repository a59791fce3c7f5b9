package import ModelConfigurations
package import Tensors

/// What runs the requests of one model version: a model's instances, or the steps of an ensemble.
package protocol RequestExecutor: AnyObject, Sendable {
    var name: String { get }
    var version: Int64 { get }
    /// Complete and checked.
    var configuration: ModelConfiguration { get }
    var statistics: StatisticsCollector { get }
    var instanceCount: Int { get }
    /// Why it is not ready at the moment, although it serves; `nil` where it is.
    var complaint: String? { get }

    /// Memory in which a request's inputs lie best, as what executes it reads them there: a worker's, or page-locked
    /// memory for a GPU; `nil` where none is better than another.
    var inputMemory: (any MemoryProvider)? { get }

    /// Takes in a request. The handler gets its responses or its error, on any thread, possibly before this returns.
    ///
    /// - Returns: what can take it back; `nil` where the request has already ended.
    @discardableResult
    func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)?

    /// The requests that wait and the instances that execute, both of the same moment.
    func occupancy() -> (pendingRequests: Int, busyInstances: Int)

    /// Takes no more requests, finishes those that wait, and ends the workers.
    ///
    /// - Parameter deadline: when to give up what still waits, in nanoseconds of the clock; `nil` for never.
    /// - Returns: how many requests were dropped.
    @discardableResult
    func stop(deadline: UInt64?) -> Int
}

extension RequestExecutor {
    package var complaint: String? { nil }
    package var inputMemory: (any MemoryProvider)? { nil }
}

/// On whose thread a request may run when an instance is idle.
package enum CallerThread: Sendable {
    /// A thread that will wait for the response anyway.
    case blocking
    /// A thread that must come back soon, an event loop or one of Swift's pool: only while executions are short.
    case nonBlocking
    /// A thread that belongs to somebody else: it may hold locks that the handler takes, and runs nothing.
    case foreign
}

/// A request that was handed in.
package protocol SubmittedRequest: Sendable {
    /// Takes it back: if it still waits, its handler gets a `cancelled` error at once; if it runs, its model may
    /// notice.
    func cancel()
}
