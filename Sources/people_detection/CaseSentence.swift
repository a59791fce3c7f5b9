/// One sentence on a case: what is special in its configuration, and what came of that. Every number in it was
/// measured.
struct CaseSentence {
    private let figures: CaseFigures
    private let earlier: [CaseFigures]

    /// - Parameter earlier: the cases before it with the same requests.
    init(_ figures: CaseFigures, after earlier: [CaseFigures]) {
        self.figures = figures
        self.earlier = earlier
    }

    var text: String {
        if let twin { return anotherModel(twin) }
        let setup = figures.setup
        switch (setup.instances > 1, setup.usesBatches) {
        case (true, true):
            return "Both: \(setup.instances) instances, each of which takes what waits as one batch: \(batching); "
                + "\(overlap)\(comparison)."
        case (true, false): return "Instances: with \(setup.instances) of them \(overlap)\(comparison)."
        case (false, true):
            return "Batches: while the one instance was busy, requests waited and then ran together: \(batching)"
                + "\(priceOfPicture)\(comparison)."
        case (false, false):
            return "One at a time: one instance and no batches, so \(requests) took \(figures.executions) executions, "
                + "one after the other, and each waited \(ms(figures.queue)) on average\(comparison)."
        }
    }

    /// The latest case that was set up in the same way with another file of the model.
    private var twin: CaseFigures? { earlier.last { $0.setup == figures.setup && $0.file != figures.file } }

    private func anotherModel(_ twin: CaseFigures) -> String {
        let (now, before) = (figures.computeInfer, twin.computeInfer)
        let model = figures.isInt8 && !twin.isInt8 ? "INT8" : "Another model file, \(figures.file)"
        let weights = figures.isInt8 && !twin.isInt8 ? "with weights of one byte, which take less time to multiply" : ""
        return
            "\(model): as \(twin.repository), \(weights.isEmpty ? "but for the file" : weights): a request is in the "
            + "engine for \(ms(now)) in place of \(ms(before)) (\(ratio(now, before)))\(comparison)."
    }

    private var requests: String { "\(figures.work.requests) requests" }

    /// How much of the work was done at the same time.
    private var overlap: String {
        let together = figures.total > 0 ? figures.busy / figures.total : 0
        return "\(ms(figures.busy)) of work in the engine were done in \(ms(figures.total)), "
            + "\(together.formatted(digits: 1)) executions at a time on average"
    }

    private var batching: String {
        "\(requests) took \(figures.executions) executions, the largest of \(figures.largestBatch)"
    }

    /// What a picture costs alone and in the largest batch, where there were both.
    private var priceOfPicture: String {
        guard let alone = figures.batches.first, let largest = figures.batches.last, alone.size == 1, largest.size > 1
        else { return "" }
        let share = largest.computeInfer / Double(largest.size)
        return ", in which a picture took \(ms(share)) in place of \(ms(alone.computeInfer)) alone "
            + "(\(ratio(share, alone.computeInfer)))"
    }

    /// The total beside that of the case before.
    private var comparison: String {
        guard let last = earlier.last else { return "" }
        return "; in all \(ms(figures.total)), after \(ms(last.total)) in \(last.repository)"
    }

    private func ms(_ value: Double) -> String { "\(value.formatted(digits: value < 10 ? 1 : 0)) ms" }

    private func ratio(_ now: Double, _ before: Double) -> String {
        guard now > 0, before > 0 else { return "not to be compared" }
        return now <= before
            ? "\((before / now).formatted(digits: 2)) times as fast"
            : "\((now / before).formatted(digits: 2)) times as long"
    }
}
