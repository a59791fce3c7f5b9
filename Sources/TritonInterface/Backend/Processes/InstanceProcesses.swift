internal import Tensors
internal import Threads

/// The processes without which an instance is of no use: those that its backend started while it was made.
final class InstanceProcesses: Sendable {
    private struct State {
        var numbers: [UInt64] = []
        /// The shared memory through which the backend speaks with them.
        var regions: [String] = []
        var handlers: [@Sendable (HalcyonError) -> Void] = []
        var loss: HalcyonError?
        /// Whether the instance is being taken apart, by which its processes end.
        var isOver = false
    }

    private let instance: String
    private let state = Locked(State())

    /// - Parameter instance: what the instance is called in errors.
    init(instance: String) { self.instance = instance }

    /// Watches what is started on the calling thread meanwhile.
    func starting<Failure>(_ body: () throws(Failure) -> Void) throws(Failure) {
        let before = ChildProcesses.ofThisThread()
        try body()
        for process in ChildProcesses.ofThisThread().subtracting(before).sorted() {
            let number = ProcessWatcher.shared.watch(process) { [weak self] in self?.ended($0) }
            let regions = SharedMemoryLeftovers.regions(of: process)
            state.withLock { state in
                if let number { state.numbers.append(number) }
                state.regions += regions
            }
        }
    }

    /// Whether there is one.
    var areWatched: Bool { state.withLock { !$0.numbers.isEmpty } }

    /// Why the instance is of no use any more; `nil` while it is.
    var loss: HalcyonError? { state.withLock { $0.loss } }

    /// Has that called once when one of them ends; at once where one has.
    func whenLost(_ handler: @escaping @Sendable (HalcyonError) -> Void) {
        let loss = state.withLock { state in
            if state.loss == nil { state.handlers.append(handler) }
            return state.loss
        }
        if let loss { handler(loss) }
    }

    /// The instance is being taken apart, by which they end: nobody else is told any more.
    func end(telling handler: @escaping @Sendable (HalcyonError) -> Void) {
        state.withLock { $0.handlers = [] }
        whenLost(handler)
    }

    /// What their backend would have removed.
    func removeRegions() {
        SharedMemoryLeftovers.remove(
            state.withLock { state in
                defer { state.regions = [] }
                return state.regions
            })
    }

    /// From now on they may end.
    func letEnd() {
        let numbers = state.withLock { state in
            state.isOver = true
            state.handlers = []
            defer { state.numbers = [] }
            return state.numbers
        }
        for number in numbers { ProcessWatcher.shared.forget(number) }
    }

    private func ended(_ process: Int32) {
        let error = HalcyonError(
            .unavailable, "\(instance) has gone: its process \(process) \(ChildProcesses.ending(of: process))")
        let handlers = state.withLock { state -> [@Sendable (HalcyonError) -> Void] in
            guard state.loss == nil, !state.isOver else { return [] }
            state.loss = error
            defer { state.handlers = [] }
            return state.handlers
        }
        // The last that asked first: who answers requests asks before who takes the next ones.
        for handler in handlers.reversed() { handler(error) }
    }
}
