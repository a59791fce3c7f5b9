internal import Logging
internal import ModelConfigurations
internal import Tensors
internal import Threads

/// What a model runs before its first request, so that requests do not pay for what an engine sets up on first use:
/// every instance what the configuration wants it to, and an item of zeros; the first of them that again; and the first
/// of each device batches of the sizes that there will be. Each waits for the resources that the instance shares with
/// others. Counted nowhere.
///
/// The zeros are ours, and may mean nothing to the model: that it fails on them says nothing of how it serves.
struct WarmUpRun {
    /// Runs a batch of that many times the same item.
    ///
    /// - Returns: an output whose first dimension is not the batch, where there is one and the model batches.
    typealias Execute =
        (_ item: [Tensor], _ batchSize: Int, CrewMember) throws(HalcyonError) -> String?

    /// How long an execution waits for what others hold, in nanoseconds: a load holds up those behind it.
    private static let resourcePatience: UInt64 = 60_000_000_000

    let configuration: ModelConfiguration
    let validator: RequestValidator
    let members: [CrewMember]
    let clock: any SchedulingClock
    let log: Logger
    /// The only size that the model's batches may have.
    var fixedBatchSize: Int?
    /// What an item has beside its inputs and outputs.
    var stateByteCount = 0
    let execute: Execute

    /// - Returns: what the first execution of one item took, and what the second, which is as good as any later one; or
    ///   why there was none: the model has open dimensions, and no size would be the right one; or its items are larger
    ///   than ``WarmUp/byteLimit``; or zeros are not for it.
    /// - Throws: whatever an instance throws for a sample; `invalidArgument` for one whose batch is larger than that;
    ///   `unavailable` where the warm-up was given up.
    func run(_ plan: WarmUpPlan) throws(HalcyonError) -> WarmUpReport {
        try run(plan.samples, plan.isGivenUp)
        guard plan.isAutomatic else { return WarmUpReport(reason: "switched off") }
        if let obstacle = WarmUp.obstacle(configuration) { return WarmUpReport(reason: obstacle) }
        do throws(HalcyonError) {
            return try runAutomatically(plan.isGivenUp)
        } catch {
            log.notice(
                "the model is not warmed up, as it fails on inputs of zeros; it is served all the same",
                metadata: ["model": "\(configuration.name)", "reason": "\(error.message)"])
            return WarmUpReport(reason: "it fails on inputs of zeros")
        }
    }

    // MARK: Zeros

    private func runAutomatically(_ isGivenUp: () -> Bool) throws(HalcyonError) -> WarmUpReport {
        guard let first = members.first else { return WarmUpReport() }
        let one = fixedBatchSize ?? 1
        guard fits(one) else {
            noteTooLarge(one)
            return WarmUpReport(reason: "a batch of \(one) is too large for that")
        }
        let item = try WarmUp.item(for: configuration)
        var report = WarmUpReport()
        func run(_ batchSize: Int, on member: CrewMember) throws(HalcyonError) {
            // Nobody waits for a warm model any more, but the load goes on.
            if isGivenUp() { return }
            let output = try self.run(item, batchSize, on: member)
            report.outputWithoutBatch = report.outputWithoutBatch ?? output
        }
        for member in members.dropFirst() { try run(one, on: member) }
        let start = clock.now()
        try run(one, on: first)
        let middle = clock.now()
        try run(one, on: first)
        report.times = WarmUpTimes(first: middle &- start, steady: clock.now() &- middle)
        let sizes = WarmUp.batchSizes(for: configuration, fixed: fixedBatchSize)
        for batchSize in sizes.necessary where !fits(batchSize) { noteTooLarge(batchSize) }
        for member in firstOfDevices {
            for batchSize in sizes.necessary where fits(batchSize) { try run(batchSize, on: member) }
            let start = clock.now()
            let patience = WarmUp.patience(onGPU: member.identity.gpu != nil)
            for batchSize in sizes.others where clock.now() &- start < patience && fits(batchSize) {
                try run(batchSize, on: member)
            }
        }
        return report
    }

    /// The first instance on the processor, and the first on each GPU.
    private var firstOfDevices: [CrewMember] {
        var devices: Set<Int?> = []
        return members.filter { devices.insert($0.identity.gpu).inserted }
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

    // MARK: Samples

    private func run(_ samples: [WarmUpItem], _ isGivenUp: () -> Bool) throws(HalcyonError) {
        let start = clock.now()
        for sample in samples {
            do throws(HalcyonError) {
                let request = InferenceRequest(modelName: configuration.name, inputs: sample.inputs)
                let item = try validator.validate(request).inputs + sample.controls
                try check(sample)
                for member in members {
                    for done in 0..<sample.count {
                        guard clock.now() &- start < WarmUp.samplePatience else { return noteTooLong(sample, done) }
                        try checkGivenUp(isGivenUp)
                        _ = try run(item, sample.batchSize, on: member)
                    }
                }
            } catch {
                throw error.prefixed("warmup sample '\(sample.name)': ")
            }
        }
    }

    private func noteTooLong(_ sample: WarmUpItem, _ done: Int) {
        log.warning(
            "the samples of model_warmup take too long: what is left of them is not run, and the model is served",
            metadata: [
                "model": "\(configuration.name)", "sample": "\(sample.name)", "done": "\(done)",
                "count": "\(sample.count)",
                "limit_seconds": "\(WarmUp.samplePatience / 1_000_000_000)",
            ])
    }

    private func checkGivenUp(_ isGivenUp: () -> Bool) throws(HalcyonError) {
        guard isGivenUp() else { return }
        throw HalcyonError(.unavailable, "the load was given up, as the model is to be unloaded or the server stops")
    }

    private func check(_ sample: WarmUpItem) throws(HalcyonError) {
        let size = (sample.inputs + sample.controls).reduce(stateByteCount) { $0 &+ $1.data.byteCount }
        guard !WarmUp.fits(itemByteCount: size, batchSize: sample.batchSize) else { return }
        throw HalcyonError(
            .invalidArgument,
            "a batch of \(sample.batchSize) items of \(size) bytes is larger than the \(WarmUp.byteLimit) bytes that a "
                + "warm-up may have")
    }

    private func run(_ item: [Tensor], _ batchSize: Int, on member: CrewMember) throws(HalcyonError) -> String? {
        guard let pass = member.pass else { return try execute(item, batchSize, member) }
        return try pass.hold(on: clock, patience: Self.resourcePatience) { () throws(HalcyonError) in
            try execute(item, batchSize, member)
        }
    }
}
