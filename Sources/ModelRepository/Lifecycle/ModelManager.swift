internal import Logging
internal import ModelConfigurations
internal import ModelRuntime
package import Tensors
internal import Threads

/// Which models are served, and the way there and back.
///
/// Loads and unloads of one model are done one after the other, in the order in which they came; those of different
/// models side by side. A request takes hold of a version under the lock of the table, so it can't be unloaded before
/// the request is enqueued; and what is enqueued is finished before the version goes. What still finishes its requests
/// holds up nobody who wants to load the model again.
package final class ModelManager: Sendable {
    let table = Locked(ModelTable())
    let changed = Signal()
    let loader: ModelLoader
    let permits: LoadPermits
    /// How long a load may take, in nanoseconds; 0 for as long as it takes.
    let loadTimeout: UInt64
    /// What loads have given up and what still runs, in an engine for the most part.
    let hanging = Locked(0)
    /// Why the last looks at models' folders came to nothing, so that it is said once.
    let unreadable = Locked<[String: String]>([:])

    /// - Parameters:
    ///   - loadCount: models that are loaded at the same time.
    ///   - loadTimeout: how long a load may take, in nanoseconds; 0 for as long as it takes.
    package init(loader: ModelLoader, loadCount: Int, loadTimeout: UInt64 = 0) {
        self.loader = loader
        self.loadTimeout = loadTimeout
        permits = LoadPermits(count: loadCount, clock: loader.environment.clock)
    }

    // MARK: Requests

    /// Finds a served version, which stays until the handle has gone.
    ///
    /// - Parameter version: `nil` for the newest.
    /// - Throws: `notFound` for a model that nobody loaded, `unavailable` for one that is not ready.
    package func hold(_ name: String, version: Int64? = nil) throws(HalcyonError) -> HeldModel {
        HeldModel(
            taking: try table.withLock { table throws(HalcyonError) in
                let model = try table.find(name, version: version)
                model.hold()
                return model
            })
    }

    // MARK: Turns

    static let stopping = HalcyonError(
        .unavailable, "the server is being stopped and loads no more models")

    /// Calls `body` when everybody who came before for the same model is done.
    ///
    /// - Parameter attempt: a load, which may be given up meanwhile; `nil` for an unload, which also a server that is
    ///   being stopped does, and which gives up the loads that came before it.
    /// - Throws: what `body` throws, and `unavailable` where the server is stopped or the deadline passes before.
    func inTurn<Result>(
        _ name: String, attempt: LoadAttempt? = nil, deadline: UInt64? = nil,
        _ body: () throws(HalcyonError) -> Result
    ) throws(HalcyonError) -> Result {
        let (ticket, overtaken) = table.withLock { table in
            let overtaken = attempt == nil ? table.attempts.filter { $0.key.name == name }.map(\.value) : []
            let ticket = table.turns.join(name)
            if let attempt { table.attempts[ticket] = attempt }
            return (ticket, overtaken)
        }
        for load in overtaken {
            load.giveUp(
                HalcyonError(.unavailable, "the load was given up, as the model has been unloaded meanwhile"))
        }
        defer {
            table.withLock { table in
                table.turns.leave(ticket)
                table.attempts[ticket] = nil
            }
            changed.notify()
        }
        var reason: HalcyonError?
        let isFirst = changed.wait(until: deadline, clock: loader.environment.clock) {
            reason = self.reason(toEnd: attempt)
            return reason != nil || self.table.withLock { $0.turns.isFirst(ticket) }
        }
        if let reason { throw reason }
        guard isFirst else {
            throw HalcyonError(.unavailable, "model '\(name)' is still being loaded or unloaded")
        }
        return try body()
    }

    /// Why a load does not go on; `nil` where it does.
    func reason(toEnd attempt: LoadAttempt?) -> HalcyonError? {
        guard let attempt else { return nil }
        return attempt.reason ?? (table.withLock(\.isStopped) ? Self.stopping : nil)
    }
}
