package import Scheduling
internal import Tensors
internal import Threads

/// The resource arbiter with a lock around it: one for all models of a server.
package final class ResourceGate: Sendable {
    private struct State {
        var arbiter: ResourceArbiter
        var parkers: [ResourceArbiter.Holder: Parker] = [:]
        var granted: Set<ResourceArbiter.Holder> = []
    }

    private let state: Locked<State>

    package init(stock: [ResourceArbiter.Stock]) { state = Locked(State(arbiter: ResourceArbiter(stock: stock))) }

    /// An instance's way through the gate.
    final class Pass: Sendable {
        private let gate: ResourceGate
        private let holder: ResourceArbiter.Holder
        let claim: ResourceArbiter.Claim

        fileprivate init(gate: ResourceGate, holder: ResourceArbiter.Holder, claim: ResourceArbiter.Claim) {
            self.gate = gate
            self.holder = holder
            self.claim = claim
        }

        /// Executes something in the instance's place on a thread other than its own: blocks until what the instance
        /// needs is there, as its own executions do.
        ///
        /// - Parameter patience: how long, in nanoseconds.
        /// - Throws: what `body` throws; `unavailable` where it is not there in time.
        func hold<Result>(
            on clock: any SchedulingClock, patience: UInt64, _ body: () throws(HalcyonError) -> Result
        ) throws(HalcyonError) -> Result {
            let parker = Parker()
            let pass = try gate.register(claim, parker: parker)
            defer { pass.leave() }
            let deadline = clock.now().adding(patience)
            while !pass.request() {
                guard clock.now() < deadline else {
                    let names = claim.needs.keys.map { "'\($0.name)'" }.sorted().joined(separator: ", ")
                    throw HalcyonError(
                        .unavailable,
                        "others have held the resources \(names) that the instance needs for "
                            + "\(patience / 1_000_000_000) s"
                    )
                }
                clock.park(parker, until: deadline)
            }
            return try body()
        }

        /// Asks for what the instance needs; if it is not there now, the parker is unparked when it is.
        func request() -> Bool {
            gate.wake { state in state.granted.contains(holder) ? [] : state.arbiter.request(holder) }
            return gate.state.withLock { $0.granted.contains(holder) }
        }

        /// Gives back what the instance held, if it held anything.
        ///
        /// - Parameter hasExecuted: whether it has executed with it.
        func release(hasExecuted: Bool = true) {
            gate.wake { state in
                state.granted.remove(holder) == nil ? [] : state.arbiter.release(holder, hasExecuted: hasExecuted)
            }
        }

        /// The instance has executed.
        ///
        /// - Parameter hasMore: whether it would execute again at once: its next ``request()`` counts from now then.
        func executed(hasMore: Bool) {
            guard hasMore else { return release() }
            gate.wake { state in
                state.granted.remove(holder)
                return state.arbiter.renew(holder)
            }
        }

        /// Ends the instance's part in it.
        func leave() {
            release()
            gate.wake { state in
                state.parkers[holder] = nil
                return state.arbiter.unregister(holder)
            }
        }
    }

    /// - Throws: `invalidArgument` for an instance that needs more than there is.
    func register(_ claim: ResourceArbiter.Claim, parker: Parker) throws(HalcyonError) -> Pass {
        let holder = try state.withLock { state throws(HalcyonError) in
            let holder = try state.arbiter.register(claim)
            state.parkers[holder] = parker
            return holder
        }
        return Pass(gate: self, holder: holder, claim: claim)
    }

    private func wake(_ change: (inout State) -> [ResourceArbiter.Holder]) {
        let parkers = state.withLock { state in
            let granted = change(&state)
            state.granted.formUnion(granted)
            return granted.compactMap { state.parkers[$0] }
        }
        for parker in parkers { parker.unpark() }
    }
}
