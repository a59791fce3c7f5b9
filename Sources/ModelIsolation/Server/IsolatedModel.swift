private import CPlatform
internal import JSONText
internal import Logging
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors
internal import Threads

/// A version of a model whose engine runs in another process.
final class IsolatedModel: WorkerModel {
    private struct State {
        var traits: ControlAnswer.Traits
        var preparation: ControlRequest?
        var plan: CPUPlan?
        var isDecoupled = false
        var keepsStates = false
        /// Of instances that have a worker to themselves.
        var seats: [WorkerSeat] = []
        /// What happened to those that are gone.
        var past: [String: UInt64] = [:]
    }

    private let main: WorkerSeat
    private let options: IsolatedBackend.Options
    private let state: Locked<State>
    private let poison = Locked(Poison())
    private let memory: InputMemory
    /// Told when its load is given up: what hangs in a worker ends with that.
    private let abandonment: LoadAbandonment?
    private var name: String { main.plan.source.modelName }

    init(
        _ plan: WorkerSeat.Plan, _ options: IsolatedBackend.Options, _ abandonment: LoadAbandonment?
    ) throws(HalcyonError) {
        self.options = options
        self.abandonment = abandonment
        memory = plan.memory
        main = WorkerSeat(plan)
        abandonment?.whenGivenUp { [main] in main.close() }
        do throws(HalcyonError) {
            state = Locked(State(traits: try main.open()))
        } catch {
            main.close()
            throw error
        }
    }

    deinit {
        main.close()
        for seat in state.withLock({ $0.seats }) { seat.close() }
        memory.removeAll()
    }

    static func bytes(of configuration: ModelConfiguration) -> [UInt8] { Array(configuration.jsonValue.compact.utf8) }

    // MARK: The model's own words

    var signature: ModelSignature? { state.withLock { $0.traits.signature } }
    var fixedBatchSize: Int? { state.withLock { $0.traits.fixedBatchSize } }
    var takesEmptyTensors: Bool { state.withLock { $0.traits.takesEmptyTensors } }
    /// Handing a batch to a thread that hands it to a process costs more than that process. A thread that others wait
    /// for must not: the process may stand still.
    var mayRunOnBlockingCallerThread: Bool { state.withLock { !$0.isDecoupled } }
    var outputsLikeInputs: [String: String] { state.withLock { $0.traits.outputsLikeInputs } }

    var properties: [(name: String, value: String)] {
        let seats = state.withLock { [main] + $0.seats }
        let numbers = seats.compactMap { $0.worker?.processNumber }.map(String.init).joined(separator: ", ")
        return state.withLock { $0.traits.properties.map { ($0.name, $0.value) } } + [("worker", numbers)]
    }

    // MARK: Loading

    func prepare(for configuration: ModelConfiguration, plan: CPUPlan) throws {
        let plan = share(of: plan)
        let request = ControlRequest.prepare(
            configuration: Self.bytes(of: configuration), plan, processors: Self.processors())
        let traits = try main.prepare(request)
        state.withLock { state in
            state.traits = traits
            state.preparation = request
            state.plan = plan
            state.isDecoupled = configuration.isDecoupled
            state.keepsStates = configuration.sequenceBatching?.states.isEmpty ?? false
        }
    }

    /// The processors that the calling thread is kept to: by a host policy, or by the process.
    private static func processors() -> [Int] {
        var processors = [Int32](repeating: 0, count: 4096)
        let count = halcyon_thread_processors(&processors, processors.count)
        return processors.prefix(count).map(Int.init)
    }

    func isPrepared(for plan: CPUPlan) -> Bool {
        let plan = share(of: plan)
        return state.withLock { $0.plan == plan } || main.isPrepared(for: plan)
    }

    /// What is left of a share of the processor on the processors that the worker is kept to.
    private func share(of plan: CPUPlan) -> CPUPlan {
        let allowed = options.settings.processors.count
        guard allowed > 0 else { return plan }
        var plan = plan
        plan.threads = min(plan.threads, allowed)
        plan.streams = min(plan.streams, allowed)
        return plan
    }

    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance {
        let seat = try seat(for: identity)
        do {
            let link = try seat.link(for: identity)
            guard state.withLock({ $0.isDecoupled }) else { return IsolatedInstance(self, seat, identity, link) }
            guard link.isDecoupled else {
                throw HalcyonError(
                    .unsupported,
                    "model '\(name)' is decoupled, and its backend answers every request exactly once")
            }
            return IsolatedDecoupledInstance(self, seat, identity, link)
        } catch {
            release(seat, identity)
            throw error
        }
    }

    /// The first instance has the worker that opened the model in any case.
    private func seat(for identity: InstanceIdentity) throws(HalcyonError) -> WorkerSeat {
        guard options.isPerInstance, identity.index > 0 else { return main }
        let seat = WorkerSeat(main.plan)
        abandonment?.whenGivenUp { [weak seat] in seat?.close() }
        do throws(HalcyonError) {
            _ = try seat.open()
            if let preparation = state.withLock({ $0.preparation }) { _ = try seat.prepare(preparation) }
        } catch {
            seat.close()
            throw error
        }
        state.withLock { $0.seats.append(seat) }
        return seat
    }

    /// An instance is wanted no more.
    func release(_ seat: WorkerSeat, _ identity: InstanceIdentity) {
        seat.leave(identity)
        guard seat !== main else { return }
        seat.close()
        state.withLock { state in
            state.seats.removeAll { $0 === seat }
            for (cause, count) in seat.restarts { state.past[cause, default: 0] += count }
        }
    }

    // MARK: Loss

    /// What the requests of a batch are told whose worker went.
    func loss(_ ending: WorkerEnding, _ identity: InstanceIdentity, batchSize: Int) -> HalcyonError {
        HalcyonError(
            .unavailable,
            "model '\(name)': its worker process \(ending.words) while instance '\(identity.name)' "
                + "executed a batch of \(batchSize); a new one is started")
    }

    /// What those of a batch are told that came too late for the worker that had their sequences' states.
    func loss(_ ending: WorkerEnding, _ identity: InstanceIdentity) -> HalcyonError {
        HalcyonError(
            .unavailable,
            "model '\(name)': its worker process, which had the states of the sequences of instance "
                + "'\(identity.name)', \(ending.words)")
    }

    var batchMemory: any MemoryProvider { memory }

    var complaint: String? {
        let seats = state.withLock { [main] + $0.seats }
        return seats.lazy.compactMap(\.complaint).first
    }

    var restarts: [String: UInt64] {
        let (seats, past) = state.withLock { ([main] + $0.seats, $0.past) }
        return seats.reduce(into: past) { sums, seat in
            for (cause, count) in seat.restarts { sums[cause, default: 0] += count }
        }
    }

    /// Whether the engine has the states of sequences, so that they go with the worker.
    var keepsStates: Bool { state.withLock { $0.keepsStates } }

    var triesBatchesAgain: Bool { options.triesBatchesAgain }

    func refusal(of inputs: [Tensor]) -> HalcyonError? {
        guard poison.withLock({ !$0.isEmpty }), let fingerprint = try? Poison.fingerprint(inputs) else { return nil }
        let now = halcyon_monotonic_now()
        guard let left = poison.withLock({ $0.refusal(fingerprint, now: now) }) else { return nil }
        return HalcyonError(
            .invalidArgument,
            "model '\(name)': this request has ended its worker process twice, and is refused for "
                + "another \(left / 1_000_000_000 + 1) s")
    }

    func endedWorker(_ inputs: [Tensor]) {
        guard let fingerprint = try? Poison.fingerprint(inputs) else { return }
        poison.withLock { $0.killed(fingerprint, now: halcyon_monotonic_now()) }
    }
}
