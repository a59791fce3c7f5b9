internal import ModelConfigurations
internal import Tensors

/// How slow a model's parameters make it.
struct Delays: Hashable, Sendable {
    /// `creation_delay_sec`: how long it takes to be loaded.
    var creationSeconds: UInt64 = 0
    /// `execute_delay_ms`: how long each execution takes.
    var executionMilliseconds: UInt64 = 0
    /// `instance_wise_delay_multiplier`: whether an instance takes its own number times that; the first two take it
    /// once.
    var growsByInstance = false

    /// - Throws: `invalidArgument` for a parameter that is no number.
    init(_ configuration: ModelConfiguration) throws(HalcyonError) {
        creationSeconds = try Self.number("creation_delay_sec", configuration)
        executionMilliseconds = try Self.number("execute_delay_ms", configuration)
        growsByInstance = try Self.number("instance_wise_delay_multiplier", configuration) > 0
    }

    /// - Parameter index: the instance's number, from 0.
    func milliseconds(ofInstance index: Int) -> UInt64 {
        let factor = growsByInstance ? UInt64(max(1, index)) : 1
        let (product, overflow) = executionMilliseconds.multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }

    /// Nothing and negative numbers are no delay.
    private static func number(_ name: String, _ configuration: ModelConfiguration) throws(HalcyonError) -> UInt64 {
        guard let text = configuration.parameters[name] else { return 0 }
        guard let number = Int32(text) else {
            throw HalcyonError(
                .invalidArgument,
                "model '\(configuration.name)': the parameter '\(name)' is a whole number, got '\(text)'")
        }
        return UInt64(max(0, number))
    }
}
