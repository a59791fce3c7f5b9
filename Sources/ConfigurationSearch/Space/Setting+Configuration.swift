package import ModelConfigurations

extension Setting {
    /// What a configuration says, as it takes effect.
    package init(_ configuration: ModelConfiguration) {
        self.init()
        instances = max(1, configuration.instanceGroups.reduce(0) { $0 + max(1, $1.count) * max(1, $1.gpus.count) })
        if let batching = configuration.dynamicBatching {
            batches = true
            delay = batching.maxQueueDelayMicroseconds
            // The largest batch is what is preferred where nothing else is.
            let sizes = batching.preferredBatchSizes
            preferredSizes = sizes == [configuration.maxBatchSize] ? [] : sizes
        }
        let parameters = configuration.parameters
        let threads = parameters["INFERENCE_NUM_THREADS"] ?? parameters["intra_op_thread_count"]
        self.threads = threads.flatMap { Int($0) }
        streams = parameters["NUM_STREAMS"].flatMap { Int($0) }
        precision = parameters["INFERENCE_PRECISION_HINT"]
    }
}
