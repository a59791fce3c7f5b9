internal import ModelConfiguration
package import Tensors

/// An executor with instances, which can run before the first request.
package protocol WarmedExecutor: RequestExecutor {
    /// Runs the model as ``WarmUpRun`` says.
    ///
    /// - Parameter items: the samples of the configuration.
    /// - Returns: `nil` where there was nothing that it could run.
    /// - Throws: whatever an instance throws.
    func warmUp(_ items: [WarmUpItem]) throws(HalcyonError) -> WarmUpTimes?
}

/// What a model runs before its first request, so that requests do not pay for what an engine sets up on first use: every
/// instance what the configuration wants it to, and an item of zeros; the first of them that again, and batches of the
/// sizes that there will be. Counted nowhere.
struct WarmUpRun {
    typealias Execute = (_ item: [Tensor], _ batchSize: Int, InstanceSlot) throws(HalcyonError) -> Void

    let configuration: ModelConfiguration
    let slots: [InstanceSlot]
    let clock: any SchedulingClock
    /// Runs a batch of that many times the same item.
    let execute: Execute

    /// - Parameter items: what the configuration wants every instance to run.
    /// - Returns: what the first execution of one item took, and what the second, which is as good as any later one;
    ///   `nil` for a model with open dimensions, as no size would be the right one.
    /// - Throws: whatever an instance throws.
    func run(_ items: [WarmUpItem]) throws(HalcyonError) -> WarmUpTimes? {
        try run(samples: items)
        guard let first = slots.first, let item = try WarmUp.item(for: configuration) else { return nil }
        for slot in slots.dropFirst() { try execute(item, 1, slot) }
        let times = try measure(item, first)
        let sizes = WarmUp.batchSizes(for: configuration)
        for batchSize in sizes.necessary { try execute(item, batchSize, first) }
        let start = clock.now()
        for batchSize in sizes.others where clock.now() &- start < WarmUp.patience {
            try execute(item, batchSize, first)
        }
        return times
    }

    private func run(samples: [WarmUpItem]) throws(HalcyonError) {
        let validator = RequestValidator(configuration)
        for sample in samples {
            do throws(HalcyonError) {
                let request = InferenceRequest(modelName: configuration.name, inputs: sample.inputs)
                let inputs = try validator.validate(request).inputs
                for slot in slots {
                    for _ in 0..<sample.count { try execute(inputs, sample.batchSize, slot) }
                }
            } catch {
                throw error.prefixed("warmup sample '\(sample.name)': ")
            }
        }
    }

    private func measure(_ item: [Tensor], _ slot: InstanceSlot) throws(HalcyonError) -> WarmUpTimes {
        let start = clock.now()
        try execute(item, 1, slot)
        let middle = clock.now()
        try execute(item, 1, slot)
        return WarmUpTimes(first: middle &- start, steady: clock.now() &- middle)
    }
}
