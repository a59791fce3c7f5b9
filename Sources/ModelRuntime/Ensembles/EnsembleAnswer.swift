internal import ModelConfigurations
internal import Scheduling
internal import Synchronization
internal import Tensors
internal import Threads

/// What the caller of an ensemble is told. One thread at a time may use it.
final class EnsembleAnswer: @unchecked Sendable {
    private let executor: EnsembleExecutor
    private let request: InferenceRequest
    private let arrival: UInt64
    private let handler: ResponseHandler
    /// The ensemble's outputs that are asked for.
    let wanted: [String]
    /// Of an ensemble with decoupled steps.
    private var responseCount = 0
    private var lastTime: UInt64
    /// The response of an ensemble without, which is told with the end.
    private var only: InferenceResponse?

    init(
        _ executor: EnsembleExecutor, _ request: InferenceRequest, arrival: UInt64,
        handler: @escaping ResponseHandler
    ) {
        self.executor = executor
        self.request = request
        self.arrival = arrival
        self.handler = handler
        lastTime = arrival
        wanted =
            request.requestedOutputs.isEmpty ? executor.configuration.outputs.map(\.name) : request.requestedOutputs
    }

    /// - Throws: `internal` where an output was not made.
    func respond(with tensors: [String: EnsembleTensor]) throws(HalcyonError) {
        var response = InferenceResponse(
            modelName: executor.name, modelVersion: executor.version, id: request.id,
            outputs: try outputs(of: tensors))
        response.parameters = request.sequence?.parameters ?? []
        guard executor.streams.isDecoupled else {
            only = response
            return
        }
        response.isFinal = false
        count(.success)
        request.flow?.gave(response.outputs)
        handler(.success(response))
    }

    private func outputs(of tensors: [String: EnsembleTensor]) throws(HalcyonError) -> [Tensor] {
        var outputs: [Tensor] = []
        for name in wanted {
            guard let tensor = tensors[name],
                let expected = executor.configuration.outputs.first(where: { $0.name == name })
            else {
                throw HalcyonError(
                    .internal, "in ensemble '\(executor.name)': output '\(name)' was not made by its step")
            }
            var output = tensor.adapted(
                to: expected.modelDimensions, batches: executor.configuration.maxBatchSize > 0)
            executor.scatter.reshape(&output)
            outputs.append(output)
        }
        return outputs
    }

    func end(_ error: HalcyonError?, cause: StatisticsCollector.FailureCause) {
        if executor.streams.isDecoupled { count(error == nil ? .empty : .fail) }
        if let error {
            return executor.completion.refuse(request, error, cause: cause, arrival: arrival, handler)
        }
        let batch = request.inputs.first?.shape.dimensions.first ?? 1
        executor.completion.end(
            request,
            only
                ?? InferenceResponse(
                    modelName: executor.name, modelVersion: executor.version, id: request.id, outputs: []),
            items: executor.configuration.maxBatchSize > 0 ? batch : 1, arrival: arrival, handler)
    }

    private func count(_ kind: StatisticsCollector.ResponseKind) {
        let now = executor.clock.now()
        executor.statistics.recordResponse(index: responseCount, kind, duration: now &- lastTime)
        responseCount += 1
        lastTime = now
    }
}
