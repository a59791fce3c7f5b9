package import Tensors

/// The parameters of a model's configuration that the server itself acts on, whatever runs the model.
package enum ServerParameter: String, CaseIterable {
    /// How long an execution may take.
    case executionTimeout = "execution_timeout_microseconds"
    /// Whether the model runs on made-up inputs before it is ready.
    case automaticWarmUp = "automatic_warmup"
    /// Whether requests may bring inputs without elements.
    case emptyTensors = "allow_empty_tensors"
    /// Whether the model runs in a process of its own, or each of its instances does.
    case isolation = "isolation"
    /// How much resident memory such a process may take.
    case workerMemory = "worker_memory_bytes"
    /// The processors that such a process is kept to.
    case workerProcessors = "worker_cpu_cores"
    /// Whether a batch that ended such a process is tried once more, request by request.
    case triesBatchesAgain = "retry_batch_singly"

    /// From a request's arrival to its answer, what dynamic batches are formed for.
    case latencyBudget = "latency_budget_microseconds"

    /// - Returns: `nil` where the configuration does not say.
    /// - Throws: `invalidArgument` for something that is neither yes nor no.
    package func flag(of configuration: ModelConfiguration) throws(HalcyonError) -> Bool? {
        guard let text = configuration.parameters[rawValue] else { return nil }
        switch text.lowercased() {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default:
            throw HalcyonError(
                .invalidArgument,
                "model '\(configuration.name)': the parameter '\(rawValue)' is true or false, got '\(text)'")
        }
    }
}
