internal import ModelConfiguration
internal import Tensors

/// How long an execution of a model may take, where the model's configuration says so.
enum ExecutionTimeout {
    static let parameter = "execution_timeout_microseconds"

    /// - Returns: nanoseconds, 0 for as long as it takes; `nil` where the model does not say.
    /// - Throws: `invalidArgument` for something that is not a number, and for a model that can't be watched.
    static func nanoseconds(_ configuration: ModelConfiguration) throws(HalcyonError) -> UInt64? {
        guard let text = configuration.parameters[parameter] else { return nil }
        let subject = "model '\(configuration.name)': the parameter '\(parameter)'"
        guard let microseconds = UInt64(text) else {
            throw HalcyonError(.invalidArgument, "\(subject) is a number from 0, got '\(text)'")
        }
        if configuration.isDecoupled || configuration.sequenceBatching != nil {
            throw HalcyonError(.unsupported, "\(subject) is not for decoupled models and models with sequences")
        }
        let (nanoseconds, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : nanoseconds
    }
}
