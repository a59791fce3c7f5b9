package import Tensors

/// What load is put on: a server over one of its wires, or one in this process. All calls may block.
package protocol LoadTarget: Sendable {
    /// For reports.
    var name: String { get }

    /// - Throws: `unavailable` where nobody answers, `notFound` without the model.
    func describe() throws(HalcyonError) -> ModelDescription
    /// What the server's statistics say of the model; `nil` where it has none.
    func statistics() throws(HalcyonError) -> ServerCounts?
    /// Makes requests ready, and tries one.
    ///
    /// - Throws: what the server says of it.
    func prepare(_ form: RequestForm) throws(HalcyonError)
    /// Begins to put a load on the server, with the requests that were made ready.
    func start(_ load: Load, _ options: LoadOptions) throws(HalcyonError) -> any LoadDriver
    /// Releases what the server holds for this client.
    func close()
}

/// A load that is being put on.
package protocol LoadDriver: Sendable {
    /// What came since the last call.
    func take() -> LoadCounts
    /// How many requests have succeeded since the last ``take()``.
    var succeeded: Int { get }
    /// Why it can't go on; `nil` where it can.
    var failure: HalcyonError? { get }
    /// Whether a recording has been played and all is answered.
    var isOver: Bool { get }
    /// Begins no more requests, and waits for those under way, but not for ever.
    func stop()
}

/// How load is put on.
package struct LoadOptions: Hashable, Sendable {
    /// Requests that may be under way at a time in open loop.
    package var mostUnderWay = 128
    /// Requests that share a connection, over gRPC.
    package var streamsPerConnection = 1
    /// Threads of this program that talk to the server.
    package var threads = 1
    package var seed: UInt64 = 1
    /// How long requests under way are waited for at the end, in nanoseconds.
    package var patience: UInt64 = 5_000_000_000

    package init() {}

    /// How many requests may be under way at a time.
    package func width(_ load: Load) -> Int {
        if case .concurrency(let count) = load { count } else { mostUnderWay }
    }
}
