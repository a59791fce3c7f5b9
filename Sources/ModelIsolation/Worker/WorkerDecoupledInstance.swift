internal import ModelRuntime
internal import Synchronization
internal import Tensors
internal import Threads

/// An instance of a decoupled model in the worker. One thread reads its channel, so that callers can go while it
/// executes on another.
final class WorkerDecoupledInstance: @unchecked Sendable {
    private struct State {
        var waiting: [(number: UInt64, request: DecoupledRequest)] = []
        /// Requests that have not ended, and whether their callers have gone.
        var cancelled: [UInt64: Bool] = [:]
        var isOver = false
    }

    private let instance: any DecoupledModelInstance
    private let channel: FrameChannel
    private let memory: InputTable
    private let watch: MemoryWatch
    private let state = Locked(State())
    private let parker = Parker()

    init(
        _ instance: any DecoupledModelInstance, _ channel: FrameChannel, _ memory: InputTable,
        watch: MemoryWatch = .none
    ) {
        self.watch = watch
        self.instance = instance
        self.channel = channel
        self.memory = memory
    }

    /// Until the server has no more use for it.
    ///
    /// - Parameter batches: the same instance, for a model that is not decoupled after all.
    func run(_ batches: WorkerInstance) {
        let executing = try? WorkerThread(name: "requests") { [self] in execute() }
        defer {
            state.withLock { $0.isOver = true }
            parker.unpark()
            channel.shut()
            executing?.join()
        }
        while executing != nil, let body = try? channel.receive() {
            guard let request = try? InstanceRequest(body),
                let descriptors = try? channel.takeDescriptors(request.descriptorCount)
            else { return }
            switch request {
            case .execute(let work): guard batches.execute(work, descriptors) else { return }
            case .begin(let work): guard begin(work, descriptors) else { return }
            case .cancel(let number):
                state.withLock { if $0.cancelled[number] != nil { $0.cancelled[number] = true } }
            }
        }
    }

    private func begin(_ work: InstanceRequest.Work, _ descriptors: [Int32]) -> Bool {
        var inputs: [Tensor] = []
        do {
            try memory.admit(work.segments, descriptors)
            memory.forget(work.forgotten)
            for input in work.inputs { inputs.append(try memory.tensor(input)) }
        } catch {
            _ = watch.ends(after: error)
            return false
        }
        let number = work.number
        let request = DecoupledRequest(
            id: work.id, inputs: inputs, requestedOutputs: work.requestedOutputs ?? [],
            sink: DecoupledRequest.Sink(
                send: { [self] outputs throws(HalcyonError) in try send(outputs, of: number) },
                end: { [self] error in end(number, error) }, isCancelled: { [self] in isCancelled(number) }))
        state.withLock { state in
            state.cancelled[number] = false
            state.waiting.append((number, request))
        }
        parker.unpark()
        return true
    }

    private func isCancelled(_ number: UInt64) -> Bool {
        state.withLock { $0.isOver || $0.cancelled[number] ?? true }
    }

    private func execute() {
        while true {
            let (next, isOver) = state.withLock { state in
                (state.waiting.isEmpty ? nil : state.waiting.removeFirst().request, state.isOver)
            }
            if isOver { return }
            guard let request = next else {
                parker.park()
                continue
            }
            do {
                try instance.execute(request)
            } catch {
                request.fail(error)
            }
            answer(.free)
        }
    }

    private func send(_ outputs: [Tensor], of number: UInt64) throws(HalcyonError) {
        if isCancelled(number) { throw HalcyonError(.cancelled, "the caller has gone") }
        var tensors: [WireTensor] = []
        for output in outputs {
            tensors.append(
                WireTensor(
                    name: output.name, elementType: output.elementType, shape: output.shape,
                    place: .here(try output.data.onHost())))
        }
        let frame = try InstanceAnswer.response(number, tensors).frame()
        do {
            try channel.send(frame)
        } catch {
            throw HalcyonError(.cancelled, "the server has gone")
        }
    }

    private func end(_ number: UInt64, _ error: HalcyonError?) {
        state.withLock { _ = $0.cancelled.removeValue(forKey: number) }
        if let error, watch.ends(after: error) { return channel.shut() }
        answer(.ended(number, error))
    }

    private func answer(_ answer: InstanceAnswer) {
        guard let frame = try? answer.frame() else { return channel.shut() }
        try? channel.send(frame)
    }
}
