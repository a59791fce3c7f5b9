package import Halcyon

extension ModelDescription {
    /// Of a model in this process.
    ///
    /// - Throws: `notFound` for one that is not served.
    package init(_ name: String, version: Int64?, of server: InferenceServer) throws(HalcyonError) {
        let metadata = try server.modelMetadata(name, version: version)
        let configuration = try server.modelConfiguration(name, version: version)
        let optional = Set(configuration.inputs.filter(\.isOptional).map(\.name))
        func ports(_ ports: [ModelMetadata.TensorMetadata]) -> [Port] {
            ports.map {
                Port(
                    name: $0.name, elementType: $0.elementType, shape: $0.shape,
                    isOptional: optional.contains($0.name))
            }
        }
        self.init(
            name: metadata.name, version: version.map { String($0) } ?? "", maxBatchSize: configuration.maxBatchSize,
            inputs: ports(metadata.inputs), outputs: ports(metadata.outputs))
        isDecoupled = configuration.isDecoupled
        hasSequences = configuration.sequenceBatching != nil
        removeBatchDimension()
    }
}

extension ServerCounts {
    /// A model's statistics in this process.
    package init(_ statistics: ServerStatistics) {
        self.init()
        func total(_ value: DurationStatistic) -> Total { Total(count: value.count, nanoseconds: value.nanoseconds) }
        for model in statistics.models {
            var counts = ServerCounts()
            counts.inferences = model.inferenceCount
            counts.executions = model.executionCount
            counts.success = total(model.success)
            counts.fail = total(model.fail)
            counts.queue = total(model.queue)
            counts.computeInput = total(model.computeInput)
            counts.computeInfer = total(model.computeInfer)
            counts.computeOutput = total(model.computeOutput)
            counts.cacheHit = total(model.cacheHit)
            for batch in model.batches { counts.batches[batch.batchSize, default: 0] &+= batch.computeInfer.count }
            add(counts)
        }
    }
}
