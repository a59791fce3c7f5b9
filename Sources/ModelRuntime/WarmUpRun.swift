internal import Logging
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
/// sizes that there will be. Each waits for the resources that the instance shares with others. Counted nowhere.
struct WarmUpRun {
    typealias Execute = (_ item: [Tensor], _ batchSize: Int, InstanceSlot) throws(HalcyonError) -> Void

    /// How long an execution waits for what others hold, in nanoseconds: a load holds up those behind it.
    private static let resourcePatience: UInt64 = 60_000_000_000

    let configuration: ModelConfiguration
    let slots: [InstanceSlot]
    let clock: any SchedulingClock
    let log: Logger
    /// What an item has beside its inputs and outputs.
    var stateByteCount = 0
    /// Runs a batch of that many times the same item.
    let execute: Execute

    /// - Parameter items: what the configuration wants every instance to run.
    /// - Returns: what the first execution of one item took, and what the second, which is as good as any later one;
    ///   `nil` for a model with open dimensions, as no size would be the right one, and for one whose items are larger
    ///   than ``WarmUp/byteLimit``.
    /// - Throws: whatever an instance throws; `invalidArgument` for a sample whose batch is larger than that.
    func run(_ items: [WarmUpItem]) throws(HalcyonError) -> WarmUpTimes? {
        try run(samples: items)
        guard let first = slots.first, WarmUp.canMakeItem(for: configuration) else { return nil }
        guard fits(1), let item = try WarmUp.item(for: configuration) else {
            noteTooLarge(1)
            return nil
        }
        for slot in slots.dropFirst() { try run(item, 1, on: slot) }
        let times = try measure(item, first)
        let sizes = WarmUp.batchSizes(for: configuration)
        for batchSize in sizes.necessary {
            if fits(batchSize) { try run(item, batchSize, on: first) } else { noteTooLarge(batchSize) }
        }
        let start = clock.now()
        for batchSize in sizes.others where clock.now() &- start < WarmUp.patience && fits(batchSize) {
            try run(item, batchSize, on: first)
        }
        return times
    }

    private var itemByteCount: Int {
        let (size, overflow) = WarmUp.itemByteCount(for: configuration).addingReportingOverflow(stateByteCount)
        return overflow ? .max : size
    }

    private func fits(_ batchSize: Int) -> Bool { WarmUp.fits(itemByteCount: itemByteCount, batchSize: batchSize) }

    private func noteTooLarge(_ batchSize: Int) {
        log.notice(
            "the model is not warmed up with a batch of that size, as it is larger than what is made for that",
            metadata: [
                "model": "\(configuration.name)", "batch_size": "\(batchSize)", "item_bytes": "\(itemByteCount)",
                "limit_bytes": "\(WarmUp.byteLimit)",
            ])
    }

    private func run(samples: [WarmUpItem]) throws(HalcyonError) {
        let validator = RequestValidator(configuration)
        for sample in samples {
            do throws(HalcyonError) {
                let request = InferenceRequest(modelName: configuration.name, inputs: sample.inputs)
                let inputs = try validator.validate(request).inputs
                try check(sample)
                for slot in slots {
                    for _ in 0..<sample.count { try run(inputs, sample.batchSize, on: slot) }
                }
            } catch {
                throw error.prefixed("warmup sample '\(sample.name)': ")
            }
        }
    }

    private func check(_ sample: WarmUpItem) throws(HalcyonError) {
        let size = sample.inputs.reduce(stateByteCount) { $0 &+ $1.data.byteCount }
        guard !WarmUp.fits(itemByteCount: size, batchSize: sample.batchSize) else { return }
        throw HalcyonError(
            .invalidArgument,
            "a batch of \(sample.batchSize) items of \(size) bytes is larger than the \(WarmUp.byteLimit) bytes that a "
                + "warm-up may have")
    }

    private func measure(_ item: [Tensor], _ slot: InstanceSlot) throws(HalcyonError) -> WarmUpTimes {
        let start = clock.now()
        try run(item, 1, on: slot)
        let middle = clock.now()
        try run(item, 1, on: slot)
        return WarmUpTimes(first: middle &- start, steady: clock.now() &- middle)
    }

    private func run(_ item: [Tensor], _ batchSize: Int, on slot: InstanceSlot) throws(HalcyonError) {
        guard let pass = slot.pass else { return try execute(item, batchSize, slot) }
        try pass.hold(on: clock, patience: Self.resourcePatience) { () throws(HalcyonError) in
            try execute(item, batchSize, slot)
        }
    }
}
