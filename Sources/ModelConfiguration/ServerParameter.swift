package import Tensors

/// The parameters of a model's configuration that the server itself acts on, whatever runs the model.
package enum ServerParameter: String, CaseIterable {
    /// How long an execution may take.
    case executionTimeout = "execution_timeout_microseconds"
    /// Whether the model runs on made-up inputs before it is ready.
    case automaticWarmUp = "automatic_warmup"
    /// Whether requests may bring inputs without elements.
    case emptyTensors = "allow_empty_tensors"

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
