internal import ModelConfigurations
internal import Scheduling
internal import Tensors
internal import Threads

/// The way of one batch: gather → execute → scatter, with the time of each stage.
struct BatchExecution: Sendable {
    private let configuration: ModelConfiguration
    private let version: Int64
    private let clock: any SchedulingClock
    private let ragged: RaggedBatch?
    private let gather: Gather
    private let scatter: Scatter
    /// Inputs that were gathered before an instance was free, by the first request of their batch; `nil` where none
    /// are.
    private let ahead: Locked<[ObjectIdentifier: Result<[Tensor], HalcyonError>]>?

    /// - Parameter memory: where batches are gathered; `nil` for ordinary memory.
    init(
        configuration: ModelConfiguration, version: Int64, instanceCount: Int, clock: any SchedulingClock,
        scatter: Scatter, memory: (any MemoryProvider)? = nil
    ) {
        self.configuration = configuration
        self.version = version
        self.clock = clock
        // Each instance has a batch at work, and one may be gathered ahead for it.
        ragged = RaggedBatch(configuration, outputsLikeInputs: scatter.outputsLikeInputs)
        gather = Gather(
            buffers: BatchBuffers(retained: 2 * instanceCount * max(1, configuration.inputs.count), memory: memory),
            ragged: ragged)
        self.scatter = scatter
        ahead = configuration.optimization.eagerBatching ? Locked([:]) : nil
    }

    /// Gathers the inputs of a batch ahead of time.
    func prepare(_ requests: [PendingRequest]) {
        guard let ahead, let first = requests.first else { return }
        let inputs = Result { () throws(HalcyonError) in try gather.inputs(of: requests.map(\.inputs)) }
        ahead.withLock { $0[ObjectIdentifier(first)] = inputs }
    }

    private func inputs(of requests: [PendingRequest], on member: CrewMember) throws(HalcyonError) -> [Tensor] {
        if let ahead, let first = requests.first,
            let inputs = ahead.withLock({ $0.removeValue(forKey: ObjectIdentifier(first)) })
        {
            return try inputs.get()
        }
        let isForGPU = member.identity.gpu != nil
        let device = isForGPU ? (member.instance as? any DeviceReadingInstance)?.deviceMemory : nil
        return try gather.inputs(of: requests.map(\.inputs), for: device, isForGPU: isForGPU)
    }

    /// - Parameter isWatched: whether somebody may answer in its place, and the callers go on, while it still executes.
    func run(_ batch: Batch<TakenRequest>, on member: CrewMember, isWatched: Bool) -> ExecutionOutcome {
        let requests = batch.requests.map(\.request)
        let start = clock.now()
        var stages = StatisticsCollector.Stages(start: start, inferenceStart: start, inferenceEnd: start, end: start)
        do throws(HalcyonError) {
            let inputs = try inputs(of: requests, on: member)
            let requested = requestedOutputs(requests)
            var execution = ExecutionBatch(
                inputs: member.identity.gpu == nil ? try onHost(inputs) : inputs, batchSize: batch.size,
                requestedOutputs: requested, clock: clock, outputPlacement: outputPlacement(requests, on: member),
                outputMemory: requests.count == 1 && !isWatched ? requests[0].outputMemory : nil)
            stages.inferenceStart = clock.now()
            let outputs = try execute(&execution, on: member)
            stages.inferenceEnd = clock.now()
            stages.refine(with: execution)
            try scatter.check(
                outputs, batchSize: batch.size, requests: requests.count, requested: requested,
                instance: member.identity.name)
            let responses = try respond(to: requests, with: outputs)
            stages.end = clock.now()
            return ExecutionOutcome(responses: .success(responses), stages: stages)
        } catch {
            return ExecutionOutcome(responses: .failure(error), stages: stages)
        }
    }

    private func execute(_ execution: inout ExecutionBatch, on member: CrewMember) throws(HalcyonError) -> [Tensor] {
        do {
            return try member.instance.execute(&execution)
        } catch {
            throw HalcyonError(wrapping: error)
        }
    }

    /// Executes a batch of that many times the same item, gathered as a batch of requests is; nobody wants the outputs.
    ///
    /// - Returns: an output whose first dimension is not the batch, although the model batches.
    func warmUp(_ item: [Tensor], batchSize: Int, on member: CrewMember) throws(HalcyonError) -> String? {
        let inputs = try gather.inputs(of: Array(repeating: item, count: batchSize))
        if configuration.isDecoupled {
            try DecoupledWarmUp.run(inputs, on: member, scatter: scatter, clock: clock)
            return nil
        }
        var execution = ExecutionBatch(
            inputs: inputs, batchSize: batchSize, requestedOutputs: nil, clock: clock, isWarmUp: true)
        let outputs = try execute(&execution, on: member)
        return try scatter.check(
            outputs, batchSize: batchSize, requests: 1, requested: nil, instance: member.identity.name)
    }

    /// Ends the warm-up: frees the buffers of batches that may have been larger than any that follows.
    func warmedUp() { gather.reset() }

    /// Inputs that an instance on the processor can read: of a model that has some on a GPU as well.
    private func onHost(_ inputs: [Tensor]) throws(HalcyonError) -> [Tensor] {
        if inputs.allSatisfy({ $0.data.placement.isHostAccessible }) { return inputs }
        var inputs = inputs
        for index in inputs.indices { inputs[index].data = try inputs[index].data.onHost() }
        return inputs
    }

    /// Where the requests want the outputs, if all want the same.
    private func outputPlacement(_ requests: [PendingRequest], on member: CrewMember) -> MemoryPlacement? {
        // Only an instance on a GPU has a choice, so for others nobody is asked.
        let isOnGPU = member.identity.gpu != nil
        func wanted(_ request: PendingRequest) -> MemoryPlacement? {
            if let placement = request.outputPlacement { return placement }
            guard isOnGPU, let memory = request.outputMemory else { return nil }
            let names = request.requestedOutputs
            return memory.placement(of: names.isEmpty ? configuration.outputs.map(\.name) : names)
        }
        guard let first = requests.first.flatMap(wanted), requests.dropFirst().allSatisfy({ wanted($0) == first })
        else { return nil }
        return first
    }

    /// The union of what the requests want; `nil` where one of them wants all.
    private func requestedOutputs(_ requests: [PendingRequest]) -> Set<String>? {
        var union: Set<String> = []
        for request in requests {
            if request.requestedOutputs.isEmpty { return nil }
            union.formUnion(request.requestedOutputs)
        }
        return union
    }

    /// Each request's parts of the outputs without rows of a common size; empty where the model has none.
    private func parts(of outputs: [Tensor], for requests: [PendingRequest]) throws(HalcyonError) -> [[Tensor]] {
        guard let ragged else { return [] }
        var parts = [[Tensor]](repeating: [], count: requests.count)
        for output in outputs where ragged.isScattered(output.name) {
            for (index, part) in try ragged.parts(of: output, requests: requests.map(\.inputs)).enumerated() {
                parts[index].append(part)
            }
        }
        return parts
    }

    private func respond(
        to requests: [PendingRequest], with outputs: [Tensor]
    ) throws(HalcyonError) -> [InferenceResponse] {
        var responses: [InferenceResponse] = []
        responses.reserveCapacity(requests.count)
        let parts = try parts(of: outputs, for: requests)
        var row = 0
        for (index, request) in requests.enumerated() {
            let outputs = try scatter.outputs(
                outputs, names: request.requestedOutputs, row: row, rows: request.batchSize,
                isWhole: requests.count == 1, parts: parts.isEmpty ? [] : parts[index])
            responses.append(
                InferenceResponse(
                    modelName: configuration.name, modelVersion: version, id: request.id, outputs: outputs))
            row += request.batchSize
        }
        return responses
    }
}

extension StatisticsCollector.Stages {
    /// Takes over the marks that an instance set, where they make sense.
    fileprivate mutating func refine(with execution: ExecutionBatch) {
        if let times = execution.deviceTimes {
            (inferenceStart, inferenceEnd) = times.marks(from: inferenceStart, to: inferenceEnd)
            return
        }
        if execution.inferenceStart > inferenceStart, execution.inferenceStart <= inferenceEnd {
            inferenceStart = execution.inferenceStart
        }
        if execution.inferenceEnd >= inferenceStart, execution.inferenceEnd < inferenceEnd {
            inferenceEnd = execution.inferenceEnd
        }
    }
}
