private import CPlatform
internal import Logging
internal import ModelRuntime
internal import Synchronization
internal import Tensors
internal import Threads

/// The place of a worker: there is one in it, or the next is being started.
///
/// Who needs the worker waits while there is none, unless the next one is a long pause away. A worker that goes is
/// replaced on the thread that sees it go.
final class WorkerSeat: Sendable {
    /// What workers are made of.
    struct Plan: Sendable {
        var launcher: any WorkerLauncher
        var settings: WorkerSettings
        var limits: WorkerConnection.Limits
        var source: ControlRequest.Source
        /// Nanoseconds that an execution may take; 0 for as long as it takes.
        var executionLimit: UInt64
        var memory: InputMemory
        var log: Logger
    }

    /// An instance that runs in this seat's worker.
    private struct SeatedInstance {
        var identity: InstanceIdentity
        /// What warmed it up, for the next worker.
        var warmUp: (inputs: [Tensor], batchSize: Int)?
    }

    private struct State {
        var worker: WorkerConnection?
        /// One that is about to open the model.
        var newcomer: WorkerConnection?
        var links: [Int: InstanceLink] = [:]
        var instances: [Int: SeatedInstance] = [:]
        var preparation: ControlRequest?
        var policy = RestartPolicy()
        /// When the next worker is started, where there is none.
        var nextStart: UInt64?
        var complaint: String?
        var restarts = Dictionary(uniqueKeysWithValues: WorkerEnding.labels.map { ($0, UInt64(0)) })
        var isClosed = false
        /// A worker was lost, and nobody sees to the next one yet.
        var isVacant = false
        /// Nanoseconds that the first worker took to be ready.
        var startDuration: UInt64 = 0
    }

    /// How far away the start of a worker may be for somebody to wait for it, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000
    /// Nanoseconds that a later worker may take to start, at least.
    private static let leastStart: UInt64 = 60_000_000_000
    /// Nanoseconds that a worker may take to say that it is there.
    private static let greeting: UInt64 = 30_000_000_000
    /// Bytes of inputs that are kept to warm up the next worker.
    private static let warmUpBytes = 16 << 20

    let plan: Plan
    private let state = Locked(State())
    private let changed = Signal()
    private var name: String { plan.source.modelName }

    init(_ plan: Plan) { self.plan = plan }

    // MARK: The first worker

    /// Starts the first worker, and has it open the model.
    ///
    /// - Throws: whatever is wrong with the model; `unavailable` where the worker ends.
    func open() throws(HalcyonError) -> ControlAnswer.Traits {
        let start = halcyon_monotonic_now()
        let (worker, traits) = try startWorker(limit: nil)
        let isClosed = state.withLock { state in
            state.worker = worker
            state.startDuration = halcyon_monotonic_now() &- start
            return state.isClosed
        }
        if isClosed { worker.end(.dismissed) }
        noteDeath(of: worker)
        return traits
    }

    /// - Throws: whatever is wrong with the model; `unavailable` where the worker ends.
    func prepare(_ request: ControlRequest) throws(HalcyonError) -> ControlAnswer.Traits {
        let start = halcyon_monotonic_now()
        let worker = state.withLock { state in
            state.preparation = request
            return state.worker
        }
        guard let worker else { throw HalcyonError(.unavailable, "model '\(name)': its worker process is gone") }
        let traits = try Self.traits(try ask(worker, request))
        state.withLock { $0.startDuration += halcyon_monotonic_now() &- start }
        return traits
    }

    /// Whether the model, as its worker has it, will do for that share of the processor.
    func isPrepared(for plan: CPUPlan) -> Bool {
        guard let worker = state.withLock({ $0.worker }), case .judged(true)? = try? ask(worker, .judge(plan)) else {
            return false
        }
        return true
    }

    private func ask(
        _ worker: WorkerConnection, _ request: ControlRequest, _ descriptors: [Int32] = [], limit: UInt64? = nil
    ) throws(HalcyonError) -> ControlAnswer {
        do {
            return try worker.call(request, descriptors, limit: limit)
        } catch {
            guard worker.ending != nil else { throw error }
            throw error.prefixed("model '\(name)': ")
        }
    }

    private static func traits(_ answer: ControlAnswer) throws(HalcyonError) -> ControlAnswer.Traits {
        guard case .model(let traits) = answer else {
            throw HalcyonError(.internal, "a worker answered with something else than its model")
        }
        return traits
    }

    /// A worker that has opened the model.
    private func startWorker(limit: UInt64?) throws(HalcyonError) -> (WorkerConnection, ControlAnswer.Traits) {
        let worker = try WorkerConnection(
            launcher: plan.launcher, title: name, limits: plan.limits, log: plan.log
        ) { [weak self] in
            self?.record($0, $1)
        } whenEnded: { [weak self] in
            self?.lost($0, $1)
        }
        let isClosed = state.withLock { state in
            state.newcomer = worker
            return state.isClosed
        }
        if isClosed { worker.end(.dismissed) }
        defer { state.withLock { $0.newcomer = nil } }
        do throws(HalcyonError) {
            guard
                case .welcome(let lacking) = try ask(worker, .hello(plan.settings), limit: Self.greeting)
            else { throw HalcyonError(.internal, "a worker answered a greeting with something else") }
            for what in lacking {
                plan.log.warning(
                    "a limit of the worker process can't be had",
                    metadata: ["model": "\(name)", "notice": "\(what)"])
            }
            return (worker, try Self.traits(try ask(worker, .open(plan.source), limit: limit)))
        } catch {
            worker.end(.dismissed)
            throw error
        }
    }

    // MARK: Instances

    /// The connection of an instance to the worker that there is, or to the next.
    ///
    /// - Throws: what the model says; `unavailable` where the next worker is a long pause away, or the model is
    ///   unloaded.
    func link(for identity: InstanceIdentity) throws(HalcyonError) -> InstanceLink {
        while true {
            let (worker, link) = try state.withLock {
                (state) throws(HalcyonError) -> (WorkerConnection?, InstanceLink?) in
                if state.isClosed { throw HalcyonError(.unavailable, "model '\(name)' is being unloaded") }
                state.instances[identity.index, default: SeatedInstance(identity: identity)].identity = identity
                guard let worker = state.worker, worker.ending == nil else {
                    if let next = state.nextStart { try refuse(until: next, state.complaint) }
                    return (nil, nil)
                }
                return (worker, state.links[identity.index])
            }
            if let link { return link }
            guard let worker else {
                waitForChange()
                continue
            }
            do throws(HalcyonError) {
                let link = try connect(identity, to: worker)
                let isCurrent = state.withLock { state in
                    guard state.worker === worker else { return false }
                    state.links[identity.index] = link
                    return true
                }
                if isCurrent { return link }
            } catch {
                // Another worker may do better.
                guard worker.ending != nil else { throw error }
                waitForChange()
            }
        }
    }

    private func refuse(until next: UInt64, _ complaint: String?) throws(HalcyonError) {
        let now = halcyon_monotonic_now()
        guard next > now, next - now > Self.patience else { return }
        var error = HalcyonError(
            .unavailable,
            "model '\(name)': \(complaint ?? "its worker process is gone"); the next is started in "
                + WorkerEnding.duration(next - now))
        error.retryAfter = .nanoseconds(Int64(clamping: next - now))
        throw error
    }

    /// Until there is a worker, or it is known when there will be.
    private func waitForChange() {
        _ = changed.wait(until: nil, clock: SystemClock()) {
            self.state.withLock { state in
                let now = halcyon_monotonic_now()
                let isFar = state.nextStart.map { $0 > now && $0 - now > Self.patience } ?? false
                return state.isClosed || isFar || state.worker.map { $0.ending == nil } ?? false
            }
        }
    }

    private func connect(
        _ identity: InstanceIdentity, to worker: WorkerConnection, limit: UInt64? = nil
    ) throws(HalcyonError) -> InstanceLink {
        let (channel, other) = try FrameChannel.pair(spins: true)
        let end = FrameChannel(other)
        let answer = try withExtendedLifetime(end) { () throws(HalcyonError) in
            try ask(worker, .make(identity), [end.descriptor], limit: limit)
        }
        guard case .made(let isDecoupled) = answer else {
            throw HalcyonError(.internal, "a worker answered with something else than an instance")
        }
        return InstanceLink(
            worker: worker, channel: channel, isDecoupled: isDecoupled, memory: plan.memory,
            outputBytes: plan.settings.outputBytes)
    }

    /// An instance is wanted no more.
    func leave(_ identity: InstanceIdentity) {
        let link = state.withLock { state in
            state.instances[identity.index] = nil
            return state.links.removeValue(forKey: identity.index)
        }
        link?.channel.shut()
    }

    /// Remembers what warmed an instance up.
    func warmedUp(_ identity: InstanceIdentity, _ inputs: [Tensor], batchSize: Int) {
        guard inputs.reduce(0, { $0 &+ $1.data.byteCount }) <= Self.warmUpBytes,
            state.withLock({ $0.instances[identity.index].map { $0.warmUp == nil } ?? false })
        else { return }
        var copies = inputs
        for index in copies.indices {
            guard let data = try? copies[index].data.onHost() else { return }
            copies[index].data = data.withUnsafeBytes { TensorBuffer(copying: $0) }
        }
        state.withLock { [copies] in $0.instances[identity.index]?.warmUp = (copies, batchSize) }
    }

    // MARK: Loss

    /// A worker may have gone before it was this seat's.
    private func noteDeath(of worker: WorkerConnection) {
        if let ending = worker.ending { lost(worker, ending) }
    }

    /// Counts the loss, once, if the worker was this seat's.
    private func record(_ worker: WorkerConnection, _ ending: WorkerEnding) {
        plan.memory.leave(worker.number)
        state.withLock { state in
            guard state.worker === worker else { return }
            state.worker = nil
            state.links = [:]
            guard !state.isClosed else { return }
            state.restarts[ending.label, default: 0] += 1
            state.complaint = "its worker process \(ending.words)"
            state.nextStart = state.policy.lost(
                hasExecuted: worker.hasExecuted.load(ordering: .relaxed), now: halcyon_monotonic_now())
            state.isVacant = true
        }
        changed.notify()
    }

    private func lost(_ worker: WorkerConnection, _ ending: WorkerEnding) {
        record(worker, ending)
        let isOurs = state.withLock { state in
            defer { state.isVacant = false }
            return state.isVacant
        }
        guard isOurs else { return }
        plan.log.error(
            "worker process is gone",
            metadata: ["model": "\(name)", "worker": "\(worker.processNumber)", "reason": "\(ending.words)"])
        restart()
    }

    /// Until there is a worker again, or nobody wants one.
    private func restart() {
        while true {
            let start = state.withLock { $0.nextStart ?? 0 }
            let isClosed = changed.wait(until: start, clock: SystemClock()) { self.state.withLock { $0.isClosed } }
            if isClosed { return }
            do throws(HalcyonError) {
                let worker = try startPrepared()
                plan.log.notice(
                    "worker process is replaced",
                    metadata: ["model": "\(name)", "worker": "\(worker.processNumber)"])
                changed.notify()
                noteDeath(of: worker)
                return
            } catch {
                state.withLock { state in
                    state.complaint = "no worker process can be started: \(error.message)"
                    state.nextStart = state.policy.lost(hasExecuted: false, now: halcyon_monotonic_now())
                }
                changed.notify()
                plan.log.error(
                    "worker process can't be replaced", metadata: ["model": "\(name)", "error": "\(error)"])
            }
        }
    }

    /// A worker with all instances, warm.
    private func startPrepared() throws(HalcyonError) -> WorkerConnection {
        let (preparation, instances, first) = state.withLock { ($0.preparation, $0.instances, $0.startDuration) }
        let limit = max(Self.leastStart, first.multipliedReportingOverflow(by: 4).partialValue)
        let (worker, _) = try startWorker(limit: limit)
        do throws(HalcyonError) {
            if let preparation { _ = try ask(worker, preparation, limit: limit) }
            var links: [Int: InstanceLink] = [:]
            for (index, seated) in instances.sorted(by: { $0.key < $1.key }) {
                let link = try connect(seated.identity, to: worker, limit: limit)
                if let warmUp = seated.warmUp {
                    try warm(link, warmUp.inputs, batchSize: warmUp.batchSize, limit: limit)
                }
                links[index] = link
            }
            let isClosed = state.withLock { [links] state in
                guard !state.isClosed else { return true }
                state.worker = worker
                state.links = links
                state.nextStart = nil
                state.complaint = nil
                return false
            }
            if isClosed { worker.end(.dismissed) }
            return worker
        } catch {
            worker.end(.dismissed)
            plan.memory.leave(worker.number)
            throw error
        }
    }

    /// A model may have its reasons to refuse what is only made up; one that ends its worker is not ready.
    private func warm(
        _ link: InstanceLink, _ inputs: [Tensor], batchSize: Int, limit: UInt64
    ) throws(HalcyonError) {
        guard !link.isDecoupled else { return }
        var batch = ExecutionBatch(
            inputs: inputs, batchSize: batchSize, requestedOutputs: nil, clock: SystemClock(), isWarmUp: true)
        do {
            _ = try link.execute(&batch, limit: limit)
        } catch InstanceLink.Failure.lost(let ending) {
            throw HalcyonError(.unavailable, "it \(ending.words) while it was warmed up")
        } catch InstanceLink.Failure.notSent {
            throw HalcyonError(.unavailable, "it \(link.worker.waitForEnding().words) before it was warmed up")
        } catch {}
    }

    // MARK: Looking

    /// Why there is no worker, where there is none.
    var complaint: String? {
        state.withLock { state in
            guard state.worker == nil || state.worker?.ending != nil, !state.isClosed else { return nil }
            return "model '\(name)': \(state.complaint ?? "its worker process is gone")"
        }
    }

    /// The workers that are gone, by the cause.
    var restarts: [String: UInt64] { state.withLock { $0.restarts } }

    var worker: WorkerConnection? { state.withLock { $0.worker } }

    /// Nobody needs a worker any more.
    func close() {
        let workers = state.withLock { state in
            state.isClosed = true
            state.links = [:]
            return [state.worker, state.newcomer]
        }
        for worker in workers { worker?.end(.dismissed) }
        changed.notify()
    }
}
