package import ModelConfigurations

/// Backends whose libraries lie with the models that they run.
package enum ModelBackends {
    /// By which the one is registered that looks for them, where the operator allows it: it runs the models whose
    /// backend is known by no other name.
    package static let name = "*"

    /// What people call the backend that runs a model.
    ///
    /// - Parameter registered: the name that it is registered by.
    package static func shownName(of registered: String, for configuration: ModelConfiguration) -> String {
        registered == name ? configuration.backend : registered
    }

    /// The parameter that names a library of custom batching.
    package static let strategyParameter = "TRITON_BATCH_STRATEGY_PATH"
}
