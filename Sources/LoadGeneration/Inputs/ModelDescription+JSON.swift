internal import JSONText
internal import Tensors

extension ModelDescription {
    /// From a server's answers over HTTP.
    ///
    /// - Parameter configuration: `nil` where the server has no such extension: then the model is taken for one without
    ///   batches.
    /// - Throws: `invalidArgument` for metadata that can't be understood.
    init(metadata: JSONValue, configuration: JSONValue?, version: String) throws(HalcyonError) {
        guard let name = metadata["name"]?.text else {
            throw HalcyonError(.invalidArgument, "the server's metadata has no name of a model")
        }
        let optional = Set(
            (configuration?["input"]?.elements ?? []).filter { $0["optional"]?.flag == true }
                .compactMap { $0["name"]?.text })
        self.init(
            name: name, version: version,
            maxBatchSize: Int(configuration?["max_batch_size"]?.whole ?? 0),
            inputs: try Self.ports(metadata["inputs"], optional: optional),
            outputs: try Self.ports(metadata["outputs"]))
        isDecoupled =
            configuration?["model_transaction_policy"]?["decoupled"]?.flag ?? false
        hasSequences = configuration?["sequence_batching"] != nil
        removeBatchDimension()
    }

    private static func ports(_ value: JSONValue?, optional: Set<String> = []) throws(HalcyonError) -> [Port] {
        var ports: [Port] = []
        for entry in value?.elements ?? [] {
            guard let name = entry["name"]?.text, let type = entry["datatype"]?.text else {
                throw HalcyonError(.invalidArgument, "the server's metadata has a tensor without a name or a datatype")
            }
            ports.append(
                try Port.checked(
                    name, type, (entry["shape"]?.elements ?? []).compactMap { $0.whole },
                    isOptional: optional.contains(name)))
        }
        return ports
    }
}

extension ModelDescription.Port {
    static func checked(
        _ name: String, _ type: String, _ shape: [Int64], isOptional: Bool
    ) throws(HalcyonError) -> ModelDescription.Port {
        guard let elementType = ElementType(rawValue: type) else {
            throw HalcyonError(
                .unsupported, "tensor '\(name)' has the datatype '\(type)', which no request is made for")
        }
        return ModelDescription.Port(
            name: name, elementType: elementType, shape: TensorShape(shape.map { Int(clamping: $0) }),
            isOptional: isOptional)
    }
}

extension ServerCounts {
    /// A server's statistics document: the sum of the versions that it speaks of.
    init(_ statistics: JSONValue) {
        self.init()
        for model in statistics["model_stats"]?.elements ?? [] {
            var counts = ServerCounts()
            counts.inferences = model["inference_count"]?.unsigned ?? 0
            counts.executions = model["execution_count"]?.unsigned ?? 0
            let stages = model["inference_stats"]
            func total(_ name: String) -> Total {
                let value = stages?[name]
                return Total(
                    count: value?["count"]?.unsigned ?? 0, nanoseconds: value?["ns"]?.unsigned ?? 0)
            }
            counts.success = total("success")
            counts.fail = total("fail")
            counts.queue = total("queue")
            counts.computeInput = total("compute_input")
            counts.computeInfer = total("compute_infer")
            counts.computeOutput = total("compute_output")
            counts.cacheHit = total("cache_hit")
            for batch in model["batch_stats"]?.elements ?? [] {
                guard let size = batch["batch_size"]?.whole else { continue }
                counts.batches[Int(clamping: size), default: 0] &+=
                    batch["compute_infer"]?["count"]?.unsigned ?? 0
            }
            add(counts)
        }
    }
}
