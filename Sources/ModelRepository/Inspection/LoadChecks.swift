internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// What a complete configuration is asked before instances are made of it: by a load, and by lint, which finds no less.
enum LoadChecks {
    /// - Parameters:
    ///   - directory: the model's folder.
    ///   - placement: the GPUs that there are for the model's engine.
    ///   - followsLinks: whether links in the model's folder may lead out of it.
    /// - Returns: everything that is wrong, whatever else is.
    static func complaints(
        _ configuration: ModelConfiguration, directory: String, _ placement: GPUPlacement, followsLinks: Bool = false
    ) -> [HalcyonError] {
        var complaints: [HalcyonError] = []
        func attempt(_ body: () throws(HalcyonError) -> Void) {
            do throws(HalcyonError) {
                try body()
            } catch {
                complaints.append(error)
            }
        }
        // What is left to the model is only known when it is opened.
        if !configuration.inputs.isEmpty, !configuration.outputs.isEmpty {
            attempt { () throws(HalcyonError) in try ConfigurationCheck.checkBatchTensors(configuration) }
        }
        attempt { () throws(HalcyonError) in try ConfigurationCheck.checkWarmUps(configuration) }
        attempt { () throws(HalcyonError) in _ = try ExecutionTimeout.nanoseconds(configuration) }
        attempt { () throws(HalcyonError) in try LatencyBudgetParameter.check(configuration) }
        for flag in [ServerParameter.automaticWarmUp, .emptyTensors] {
            attempt { () throws(HalcyonError) in _ = try flag.flag(of: configuration) }
        }
        attempt { () throws(HalcyonError) in _ = try InstancePlan.instances(of: configuration, placement: placement) }
        if let sequences = configuration.sequenceBatching {
            attempt { () throws(HalcyonError) in
                try InitialStates.check(
                    sequences, configuration, directory: directory, followsLinks: followsLinks)
            }
        }
        return complaints
    }

    /// - Throws: all complaints as one.
    static func check(
        _ configuration: ModelConfiguration, directory: String, _ placement: GPUPlacement, followsLinks: Bool = false
    ) throws(HalcyonError) {
        let complaints = complaints(configuration, directory: directory, placement, followsLinks: followsLinks)
        guard let first = complaints.first else { return }
        throw HalcyonError(first.code, complaints.map(\.message).joined(separator: "\n"))
    }
}
