internal import Tensors
internal import Threads

/// A request to a decoupled model to which nobody listens: it only warms the model up.
final class DecoupledWarmUp: Sendable {
    private enum State {
        case running
        case ended(HalcyonError?)
    }

    /// How long a model may give responses before it sees that the caller has gone, in nanoseconds: one that never ends
    /// by itself is warm by then.
    private static let patience: UInt64 = 5_000_000_000

    private let state = Locked(State.running)
    private let changed = Signal()
    private let clock: any SchedulingClock
    private let deadline: UInt64

    private init(clock: any SchedulingClock) {
        self.clock = clock
        deadline = clock.now().adding(Self.patience)
    }

    /// Gives the instance a request with these inputs, and waits until it has ended.
    ///
    /// - Throws: what the request ends with; `internal` for a response that is not what the configuration promises.
    static func run(
        _ inputs: [Tensor], on member: CrewMember, scatter: Scatter, clock: any SchedulingClock
    ) throws(HalcyonError) {
        guard let instance = member.instance as? any DecoupledModelInstance else { return }
        let warmUp = DecoupledWarmUp(clock: clock)
        try warmUp.execute(inputs, on: instance, scatter: scatter, name: member.identity.name)
        try warmUp.wait()
    }

    private func execute(
        _ inputs: [Tensor], on instance: any DecoupledModelInstance, scatter: Scatter, name: String
    ) throws(HalcyonError) {
        let request = DecoupledRequest(
            id: "", inputs: inputs, requestedOutputs: [],
            sink: DecoupledRequest.Sink(
                send: { [self] outputs throws(HalcyonError) in
                    if isOver { throw HalcyonError(.cancelled, "the model is warm") }
                    try scatter.check(
                        outputs, batchSize: outputs.first?.shape.dimensions.first ?? 1, requests: 1, requested: nil,
                        instance: name)
                },
                end: { [self] error in end(error) }, isCancelled: { [self] in isOver }))
        do {
            try instance.execute(request)
        } catch {
            request.fail(error)
        }
    }

    private var isOver: Bool { clock.now() >= deadline }

    private func end(_ error: HalcyonError?) {
        state.withLock { $0 = .ended(error) }
        changed.notify()
    }

    private func wait() throws(HalcyonError) {
        var failure: HalcyonError?
        _ = changed.wait(until: nil, clock: clock) {
            guard case .ended(let error) = state.withLock({ $0 }) else { return false }
            failure = error
            return true
        }
        // It was told to end.
        if let failure, failure.code != .cancelled { throw failure }
    }
}
