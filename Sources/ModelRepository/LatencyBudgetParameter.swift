internal import ModelConfigurations
internal import Tensors

/// The latency that dynamic batches are to keep, where the model's configuration names one.
enum LatencyBudgetParameter {
    /// - Throws: `invalidArgument` for something that is not a number of microseconds, or where there is nothing that
    /// could
    ///   keep it.
    static func check(_ configuration: ModelConfiguration) throws(HalcyonError) {
        let name = ServerParameter.latencyBudget.rawValue
        guard let text = configuration.parameters[name] else { return }
        let subject = "model '\(configuration.name)': the parameter '\(name)'"
        guard let microseconds = UInt64(text), microseconds > 0 else {
            throw HalcyonError(
                .invalidArgument, "\(subject) is a number of microseconds from 1, '50000' for 50 ms, got '\(text)'")
        }
        guard configuration.dynamicBatching != nil else {
            throw HalcyonError(
                .invalidArgument,
                "\(subject) says how long dynamic batching may take, which the model does not have: add "
                    + "dynamic_batching { }, or take the parameter out")
        }
    }
}
