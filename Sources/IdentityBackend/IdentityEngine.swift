internal import Logging
internal import ModelConfigurations
package import ModelRuntime
internal import Tensors

/// The engine that does nothing: it returns `INPUT0` as `OUTPUT0`, `INPUT1` as `OUTPUT1`, and so on, without a copy;
/// where the names are others, the first input as the first output. It is for trying out a configuration, and for
/// measuring what everything else costs.
///
/// A model's parameters can make it slow, as those of Triton's backend of that name: `execute_delay_ms`,
/// `instance_wise_delay_multiplier` and `creation_delay_sec`.
package struct IdentityEngine: Backend {
    private let loading: Pauses
    private let executing: Pauses

    package init() { self.init(loading: Pauses(), executing: Pauses()) }

    /// - Parameters:
    ///   - loading: the pauses of models that are being made.
    ///   - executing: those of batches.
    package init(loading: Pauses, executing: Pauses) {
        self.loading = loading
        self.executing = executing
    }

    package var name: String { "identity" }
    package var modelFilenames: [String] { [] }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        let model = try IdentityModel(source.configuration, pauses: executing)
        let seconds = model.delays.creationSeconds
        if seconds > 0 {
            source.log.info(
                "the model is made slowly, as its creation_delay_sec says",
                metadata: ["model": "\(source.modelName)", "seconds": "\(seconds)"])
            let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
            guard loading.wait(milliseconds: overflow ? .max : milliseconds) else {
                throw HalcyonError(.unavailable, "model '\(source.modelName)': the server stops")
            }
        }
        return model
    }
}
