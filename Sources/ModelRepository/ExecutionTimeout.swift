internal import ModelConfigurations
internal import Tensors

/// How long an execution of a model may take, where the model's configuration says so.
enum ExecutionTimeout {
    /// - Returns: nanoseconds, 0 for as long as it takes; `nil` where the model does not say.
    /// - Throws: `invalidArgument` for something that is not a number.
    static func nanoseconds(_ configuration: ModelConfiguration) throws(HalcyonError) -> UInt64? {
        guard let text = configuration.parameters[ServerParameter.executionTimeout.rawValue] else { return nil }
        let subject = "model '\(configuration.name)': the parameter '\(ServerParameter.executionTimeout.rawValue)'"
        guard let microseconds = UInt64(text) else {
            throw HalcyonError(.invalidArgument, "\(subject) is a number from 0, got '\(text)'")
        }
        let (nanoseconds, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : nanoseconds
    }
}
