internal import Scheduling
internal import Synchronization
internal import Tensors
internal import Threads

/// Hands requests to instances that take them one by one and answer each of them when they like, from any thread.
final class RequestCalls: Sendable {
    let completion: Completion
    let scatter: Scatter
    /// Told when no request is left to be answered.
    private let changed: Signal
    /// Requests that have been taken on and not ended.
    private let open = Atomic<Int>(0)
    /// The requests that instances were handed, where a supervisor may have to end them.
    private let handed = Locked<[Int: [HandedRequest]]>([:])
    /// What the instances execute, where a supervisor may have to end it.
    private let running = Locked<[Int: RequestCall]>([:])

    let isDecoupled: Bool

    init(_ completion: Completion, _ scatter: Scatter, isDecoupled: Bool, changed: Signal) {
        self.completion = completion
        self.scatter = scatter
        self.isDecoupled = isDecoupled
        self.changed = changed
    }

    /// Whether every request has ended.
    var isIdle: Bool { open.load(ordering: .acquiring) == 0 }

    /// - Returns: whether the instance goes on; if not, its request has been answered while it was executing.
    func run(
        _ batch: Batch<TakenRequest>, on instance: Int, _ member: CrewMember, of crew: InstanceCrew<BatchingMachine>
    ) -> Bool {
        if let taker = member.instance as? any RequestTakingInstance {
            return hand(batch, to: taker, on: instance, member, of: crew)
        }
        for taken in batch.requests {
            open.wrappingAdd(1, ordering: .relaxed)
            let supervisor = crew.supervisor
            let goesOn: Void? = crew.watching(batch, on: instance, member) { ticket in
                let call = RequestCall(taken.request, reason: batch.reason, of: self, on: member.identity) {
                    isWaiting in
                    if let ticket { supervisor?.pause(ticket, on: instance, isWaiting: isWaiting) }
                }
                if ticket != nil { running.withLock { $0[instance] = call } }
                Self.execute(call.request(), on: member)
            }
            if goesOn == nil { return false }
            if supervisor != nil { running.withLock { $0[instance] = nil } }
        }
        return true
    }

    /// Hands a batch over as it is; each request ends by itself.
    private func hand(
        _ batch: Batch<TakenRequest>, to taker: any RequestTakingInstance, on instance: Int, _ member: CrewMember,
        of crew: InstanceCrew<BatchingMachine>
    ) -> Bool {
        open.wrappingAdd(batch.requests.count, ordering: .relaxed)
        let isWatched = crew.supervisor != nil
        let goesOn: Void? = crew.watching(batch, on: instance, member) { _ in
            let requests = batch.requests.map {
                HandedRequest($0, reason: batch.reason, of: self, on: member.identity)
            }
            if isWatched { handed.withLock { $0[instance] = requests } }
            do {
                try taker.execute(requests, BatchStatisticsSink(completion.statistics))
            } catch {
                for request in requests { request.fail(HalcyonError(wrapping: error)) }
            }
        }
        if isWatched, goesOn != nil { _ = handed.withLock { $0.removeValue(forKey: instance) } }
        return goesOn != nil
    }

    private static func execute(_ request: DecoupledRequest, on member: CrewMember) {
        do {
            guard let instance = member.instance as? any DecoupledModelInstance else {
                throw HalcyonError(.internal, "instance '\(member.identity.name)' does not take requests one by one")
            }
            try instance.execute(request)
        } catch {
            request.fail(error)
        }
    }

    /// Where the model has ended the request before, nobody is told anything.
    func giveUp(on instance: Int, _ error: HalcyonError) {
        let given = handed.withLock { $0.removeValue(forKey: instance) } ?? []
        for request in given { request.abandon(error) }
        running.withLock { $0.removeValue(forKey: instance) }?.end(error)
    }

    /// A request is taken on.
    func callBegan() { open.wrappingAdd(1, ordering: .relaxed) }

    /// The requests that an instance was handed, so that they can be ended for it; `nil` when they have ended.
    func hold(_ requests: [HandedRequest]?, on instance: Int) { handed.withLock { $0[instance] = requests } }

    /// A request has ended.
    func callEnded() {
        if open.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { changed.notify() }
    }
}
