package import Tensors
package import Threads

/// The sources of a server's repositories, asked from threads that block until they have answered.
package final class RepositorySources: Sendable {
    private struct State {
        /// Why the last whole update of a source failed, by its place in the list; none for one that went well.
        var failures: [Int: HalcyonError] = [:]
        var tasks: [Int: Task<Void, Never>] = [:]
        var nextNumber = 0
        var isClosed = false
    }

    private let sources: [any RepositorySource]
    private let state = Locked(State())
    private let changed = Signal()

    package init(_ sources: [any RepositorySource]) { self.sources = sources }

    package var isEmpty: Bool { sources.isEmpty }

    /// Why the last update of a source failed; `nil` where all went well.
    package var complaint: HalcyonError? {
        state.withLock { state in state.failures.min { $0.key < $1.key }?.value }
    }

    /// Brings the folders of all sources up to date. Blocks.
    ///
    /// - Parameters:
    ///   - signal: notified when `reason` may have another answer.
    ///   - reason: why the update is not wanted any more; `nil` while it is.
    /// - Throws: what the first source says that fails; the others are up to date all the same.
    package func update(
        _ scope: RepositoryScope, clock: any SchedulingClock, signal: Signal? = nil,
        reason: () -> HalcyonError? = { nil }
    ) throws(HalcyonError) {
        var failure: HalcyonError?
        for (index, source) in sources.enumerated() {
            do throws(HalcyonError) {
                try update(source, scope, clock, signal ?? changed, reason)
                state.withLock { $0.failures[index] = nil }
            } catch {
                state.withLock { $0.failures[index] = error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func update(
        _ source: any RepositorySource, _ scope: RepositoryScope, _ clock: any SchedulingClock, _ signal: Signal,
        _ reason: () -> HalcyonError?
    ) throws(HalcyonError) {
        let outcome = Locked<Result<Void, HalcyonError>?>(nil)
        let number = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.nextNumber += 1
            state.tasks[state.nextNumber] = Task {
                let result: Result<Void, HalcyonError>
                do throws(HalcyonError) {
                    try await source.update(scope)
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
                outcome.withLock { $0 = result }
                signal.notify()
            }
            return state.nextNumber
        }
        guard let number else { throw ModelManager.stopping }
        defer { state.withLock { $0.tasks[number] = nil } }
        _ = signal.wait(until: nil, clock: clock) {
            outcome.withLock { $0 != nil } || reason() != nil || self.state.withLock { $0.isClosed }
        }
        if let result = outcome.withLock({ $0 }) { return try result.get() }
        state.withLock { $0.tasks[number] }?.cancel()
        throw reason() ?? ModelManager.stopping
    }

    /// Cancels what is under way, and refuses what comes.
    package func close() {
        let tasks = state.withLock { state in
            state.isClosed = true
            return state.tasks.values
        }
        for task in tasks { task.cancel() }
        changed.notify()
    }
}
