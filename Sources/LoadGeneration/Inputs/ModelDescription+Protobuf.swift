internal import KServeMessages
internal import Tensors

extension ModelDescription {
    /// From a server's answers over gRPC.
    ///
    /// - Throws: `unsupported` for a datatype that is none.
    init(
        metadata: Inference_ModelMetadataResponse, configuration: ConfigurationExcerpt?, version: String
    ) throws(HalcyonError) {
        let optional = configuration?.optionalInputs ?? []
        var inputs: [Port] = []
        for port in metadata.inputs {
            inputs.append(
                try Port.checked(port.name, port.datatype, port.shape, isOptional: optional.contains(port.name)))
        }
        var outputs: [Port] = []
        for port in metadata.outputs {
            outputs.append(try Port.checked(port.name, port.datatype, port.shape, isOptional: false))
        }
        self.init(
            name: metadata.name, version: version, maxBatchSize: configuration?.maxBatchSize ?? 0, inputs: inputs,
            outputs: outputs)
        isDecoupled = configuration?.isDecoupled ?? false
        hasSequences = configuration?.hasSequences ?? false
        removeBatchDimension()
    }
}

extension ServerCounts {
    init(_ statistics: Inference_ModelStatisticsResponse) {
        self.init()
        func total(_ value: Inference_StatisticDuration) -> Total {
            Total(count: value.count, nanoseconds: value.ns)
        }
        for model in statistics.modelStats {
            var counts = ServerCounts()
            counts.inferences = model.inferenceCount
            counts.executions = model.executionCount
            counts.success = total(model.inferenceStats.success)
            counts.fail = total(model.inferenceStats.fail)
            counts.queue = total(model.inferenceStats.queue)
            counts.computeInput = total(model.inferenceStats.computeInput)
            counts.computeInfer = total(model.inferenceStats.computeInfer)
            counts.computeOutput = total(model.inferenceStats.computeOutput)
            counts.cacheHit = total(model.inferenceStats.cacheHit)
            for batch in model.batchStats {
                counts.batches[Int(clamping: batch.batchSize), default: 0] &+= batch.computeInfer.count
            }
            add(counts)
        }
    }
}
