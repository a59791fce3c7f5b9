package import Tensors

/// What is run before a model's first request.
package struct WarmUpPlan: Sendable {
    /// The samples of the configuration.
    package var samples: [WarmUpItem]
    /// Whether the model also runs on made-up inputs.
    package var isAutomatic: Bool
    /// Whether nobody wants the model any more: asked between two runs.
    package var isGivenUp: @Sendable () -> Bool

    package init(
        samples: [WarmUpItem] = [], isAutomatic: Bool = true, isGivenUp: @escaping @Sendable () -> Bool = { false }
    ) {
        self.samples = samples
        self.isAutomatic = isAutomatic
        self.isGivenUp = isGivenUp
    }
}

/// An executor with instances, which can run before the first request.
package protocol WarmedExecutor: RequestExecutor {
    /// Runs the model as ``WarmUpRun`` says.
    ///
    /// - Throws: whatever an instance throws for a sample of the configuration; `unavailable` where it was given up.
    func warmUp(_ plan: WarmUpPlan) throws(HalcyonError) -> WarmUpReport
}
