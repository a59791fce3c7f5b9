internal import Halcyon
internal import MetricsExposition
internal import Tensors

extension ServerSettings {
    mutating func set(backendDirectory path: String) throws(HalcyonError) {
        guard !path.isEmpty else { throw HalcyonError(.invalidArgument, "the backend directory's path is empty") }
        backendDirectory = path
    }

    mutating func set(agentDirectory path: String) throws(HalcyonError) {
        guard !path.isEmpty else {
            throw HalcyonError(.invalidArgument, "the repository agent directory's path is empty")
        }
        engine.repositoryAgentDirectory = path
    }

    /// - Parameter backend: empty for a setting of all backends.
    mutating func set(backend: String, _ setting: String, _ value: String) throws(HalcyonError) {
        guard !setting.isEmpty else {
            throw HalcyonError(.invalidArgument, "a setting of backend '\(backend)' has no name")
        }
        guard backend.isEmpty else {
            engine.backendConfiguration[backend, default: [:]][setting] = value
            return
        }
        switch setting {
        case "default-max-batch-size":
            guard let size = Int(value), size >= 0 else { throw Self.wrong(setting, value, "a number from 0") }
            engine.defaultMaxBatchSize = size
        case "auto-complete-config":
            engine.completesConfigurations = try Self.boolean(setting, value)
        case "backend-directory": try set(backendDirectory: value)
        case "min-compute-capability":
            guard let capability = Double(value) else { throw Self.wrong(setting, value, "a number") }
            try set(computeCapability: capability)
        case "callbacks-on-callers-thread": callsOnCallersThread = try Self.boolean(setting, value)
        default:
            throw HalcyonError(
                .invalidArgument,
                "there is no setting '\(setting)' of all backends, only default-max-batch-size, auto-complete-config, "
                    + "backend-directory, min-compute-capability and callbacks-on-callers-thread")
        }
    }

    private static func boolean(_ setting: String, _ value: String) throws(HalcyonError) -> Bool {
        switch value.lowercased() {
        case "true", "1", "on": return true
        case "false", "0", "off": return false
        default: throw wrong(setting, value, "true or false")
        }
    }

    private static func wrong(_ setting: String, _ value: String, _ expected: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "the backends' setting '\(setting)' is '\(value)', expected \(expected)")
    }

    // MARK: Metrics

    mutating func set(metricsInterval milliseconds: UInt64) throws(HalcyonError) {
        guard milliseconds > 0 else {
            throw HalcyonError(.invalidArgument, "the interval of metrics is 0 ms, expected a number from 1")
        }
        metrics.intervalMilliseconds = milliseconds
    }

    /// - Parameter name: the group of settings: empty for those of all metrics, the only ones there are.
    mutating func set(metrics name: String, _ setting: String, _ value: String) throws(HalcyonError) {
        guard name.isEmpty else {
            throw HalcyonError(.invalidArgument, "there is no group '\(name)' of metrics settings, expected none")
        }
        let added = metrics.configuration + ["\(setting)=\(value)"]
        let configuration = try MetricsConfiguration(settings: added)
        metrics.configuration = added
        engine.summaryQuantiles = configuration.summaryLatencies ? configuration.summaryQuantiles : []
    }
}
