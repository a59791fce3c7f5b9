private import CPlatform
internal import ModelRuntime
internal import Synchronization
internal import Tensors
internal import Threads

/// The requests that a decoupled instance's worker has taken on, from their beginning to their last response. Responses
/// come in messages, whole: nothing of them is shared.
final class DecoupledStream: Sendable {
    private struct Call {
        var request: DecoupledRequest
        /// Inputs that the worker may still read.
        var kept: [TensorStorage]
        var isCancelled = false
        var loss: @Sendable (WorkerEnding) -> HalcyonError
    }

    private struct State {
        var calls: [UInt64: Call] = [:]
        var nextNumber: UInt64 = 1
        /// The request that the instance has not returned from.
        var busy: UInt64?
        var isReading = false
        /// Since when a response waits for its caller.
        var isDelivering = false
        var ending: WorkerEnding?
    }

    /// How often it is looked at whether callers have gone, in nanoseconds.
    private static let interval: UInt64 = 50_000_000

    let link: InstanceLink
    private let state = Locked(State())
    private let changed = Signal()

    init(_ link: InstanceLink) { self.link = link }

    /// Hands a request over, and waits until the instance is free again.
    ///
    /// - Parameters:
    ///   - limit: nanoseconds that the instance may take until then, without what it waits for the caller; 0 for no
    ///     limit.
    ///   - loss: what the request is told where the worker goes.
    /// - Throws: ``InstanceLink/Failure/notSent``, and what is wrong with the inputs.
    func execute(
        _ request: DecoupledRequest, limit: UInt64, loss: @escaping @Sendable (WorkerEnding) -> HalcyonError
    ) throws {
        var outgoing = try link.outgoing(request.inputs)
        let number = state.withLock { state in
            defer { state.nextNumber += 1 }
            return state.nextNumber
        }
        outgoing.work.number = number
        outgoing.work.id = request.id
        outgoing.work.requestedOutputs = request.requestedOutputs
        let frame: [UInt8]
        do {
            frame = try InstanceRequest.begin(outgoing.work).frame()
        } catch {
            link.worker.end(.fault("its memory is no longer what it knows"))
            throw error
        }
        let call = Call(request: request, kept: outgoing.kept, loss: loss)
        let isGone = state.withLock { state in
            guard state.ending == nil else { return true }
            state.calls[number] = call
            state.busy = number
            return false
        }
        if isGone { throw InstanceLink.Failure.notSent }
        do {
            try link.channel.send(frame, outgoing.descriptors)
            try startReading()
        } catch is FrameChannel.End {
            state.withLock { state in
                state.calls[number] = nil
                state.busy = nil
            }
            throw InstanceLink.Failure.notSent
        }
        link.worker.hasExecuted.store(true, ordering: .relaxed)
        waitUntilFree(number, limit: limit)
    }

    private func waitUntilFree(_ number: UInt64, limit: UInt64) {
        var deadline = halcyon_monotonic_now() &+ limit
        while true {
            let now = halcyon_monotonic_now()
            let isFree = changed.wait(until: now &+ Self.interval, clock: SystemClock()) {
                self.state.withLock { $0.busy != number || $0.ending != nil }
            }
            if isFree { return }
            cancelGone()
            if state.withLock({ $0.isDelivering }) { deadline = now &+ limit }
            if limit > 0, now >= deadline { link.worker.end(.overrun(limit)) }
        }
    }

    /// Tells the worker of callers that have gone.
    private func cancelGone() {
        let gone = state.withLock { state in
            let gone = state.calls.filter { !$0.value.isCancelled && $0.value.request.isCancelled }.keys
            for number in gone { state.calls[number]?.isCancelled = true }
            return Array(gone)
        }
        for number in gone { cancel(number) }
    }

    private func cancel(_ number: UInt64) {
        guard let frame = try? InstanceRequest.cancel(number).frame() else { return }
        // Who is gone needs no telling.
        try? link.channel.send(frame)
    }

    // MARK: Reading

    private func startReading() throws(HalcyonError) {
        let mustStart = state.withLock { state in
            defer { state.isReading = true }
            return !state.isReading
        }
        if mustStart { try WorkerThread.detach(name: "responses") { [self] in read() } }
    }

    private func read() {
        let ending: WorkerEnding
        while true {
            do {
                let hasCalls = state.withLock { !$0.calls.isEmpty }
                let deadline = hasCalls ? halcyon_monotonic_now() &+ Self.interval : nil
                try take(try InstanceAnswer(try link.channel.receive(until: deadline)))
            } catch FrameChannel.End.late {
                cancelGone()
            } catch let end as FrameChannel.End {
                ending = link.ending(after: end, limit: 0)
                break
            } catch {
                link.worker.end(.fault("\(error)"))
                ending = link.worker.waitForEnding()
                break
            }
        }
        let left = state.withLock { state in
            state.ending = ending
            state.busy = nil
            defer { state.calls = [:] }
            return state.calls.sorted { $0.key < $1.key }.map(\.value)
        }
        for call in left { call.request.fail(call.loss(ending)) }
        changed.notify()
    }

    private func take(_ answer: InstanceAnswer) throws {
        switch answer {
        case .free:
            state.withLock { $0.busy = nil }
            changed.notify()
        case .response(let number, let tensors): try deliver(tensors, to: number)
        case .ended(let number, let error):
            let call = state.withLock { $0.calls.removeValue(forKey: number) }
            if let error { call?.request.fail(error) } else { call?.request.finish() }
        case .failed(let error):
            // Taking the request on has failed.
            let call = state.withLock { state in state.busy.flatMap { state.calls.removeValue(forKey: $0) } }
            call?.request.fail(error)
        case .executed: throw ProtocolFault("a request of a decoupled model was answered as a batch")
        }
    }

    private func deliver(_ wires: [WireTensor], to number: UInt64) throws {
        var tensors: [Tensor] = []
        for wire in wires {
            guard case .here(let data) = wire.place else {
                throw ProtocolFault("output '\(wire.name)' of a response does not come with it")
            }
            if wire.elementType == .bytes { try Texts.check(data, name: wire.name, shape: wire.shape) }
            tensors.append(
                Tensor(unchecked: wire.name, elementType: wire.elementType, shape: wire.shape, data: data))
        }
        // Of a request that has ended meanwhile, nobody wants more.
        guard let request = state.withLock({ $0.calls[number]?.request }) else { return }
        do {
            state.withLock { $0.isDelivering = true }
            defer { state.withLock { $0.isDelivering = false } }
            try request.send(tensors)
        } catch {
            cancel(number)
            state.withLock { _ = $0.calls.removeValue(forKey: number) }
            request.fail(error)
        }
    }
}
