internal import ConfigurationSearch
internal import LoadGeneration
internal import Tensors
internal import Threads

/// Measures settings in turns with the present one, as the search asks for them.
struct Tuner {
    /// What part of the time the search may take; the rest is for comparing the best.
    private static let searchShare = 0.7
    /// Turns of a candidate in the search; fewer for one that lies far behind.
    private static let searchRounds = 2
    private static let farBehind = 0.8
    private static let finalists = 3
    private static let finalRounds = 4...12

    /// Has the present configuration, all the time.
    let base: CandidateServer
    /// Makes another server.
    let makeServer: () throws(HalcyonError) -> CandidateServer
    let text: ModelText
    let objective: Objective
    let load: Load
    let options: LoadOptions
    let length: WindowLength
    let batch: Int
    /// In nanoseconds.
    let budget: UInt64
    var isInterrupted: () -> Bool = { false }
    /// What is being done.
    var progress: (String) -> Void = { _ in }

    private let clock = SystemClock()

    init(
        base: CandidateServer, text: ModelText, objective: Objective, budget: UInt64, load: LoadPlan,
        makeServer: @escaping () throws(HalcyonError) -> CandidateServer
    ) {
        self.base = base
        self.text = text
        self.objective = objective
        self.budget = budget
        self.load = load.load
        options = load.options
        length = load.length
        batch = load.batch
        self.makeServer = makeServer
    }

    /// What a turn is.
    struct LoadPlan {
        var load: Load
        var options: LoadOptions
        var length: WindowLength
        var batch: Int
    }

    /// Figures of several turns, as one.
    private struct Sum {
        var turns: [CandidateServer.Turn] = []

        var figures: Objective.Figures {
            let seconds = turns.reduce(0) { $0 + $1.seconds }
            func mean(_ value: (Objective.Figures) -> Double) -> Double {
                seconds > 0 ? turns.reduce(0) { $0 + value($1.figures) * $1.seconds } / seconds : 0
            }
            return Objective.Figures(
                throughput: mean(\.throughput), meanLatency: mean(\.meanLatency), p99: mean(\.p99))
        }
    }

    func run(_ space: SearchSpace) throws(HalcyonError) -> TuneReport {
        let start = clock.now()
        let present = text.present.canonical
        var search = ConfigurationSearch(space, present: present)
        var baseSum = Sum()
        baseSum.turns.append(try turn(base))
        search.record(present, score: penalty(baseSum.figures))
        var refused: [(setting: Setting, reason: String)] = []
        let candidates = try makeServer()
        var measured: [Setting: TuneReport.Entry] = [:]
        let searchEnd = start &+ UInt64(Double(budget) * Self.searchShare)
        var isComplete = true
        while let setting = search.next() {
            guard clock.now() < searchEnd, !isInterrupted() else {
                isComplete = false
                break
            }
            progress(
                "\(search.count) of \(space.size) settings, best × \(Figures.short(bestScore(search))): "
                    + "\(words(setting))"
            )
            do throws(HalcyonError) {
                try candidates.load(setting)
                let entry = try compare(setting, candidates, bestScore(search), &baseSum)
                measured[setting] = entry
                search.record(setting, score: entry.comparison.mean * penalty(entry.figures))
            } catch {
                refused.append((setting, error.message))
                search.record(setting, score: 0)
            }
        }
        let parts = measureParts(search, candidates, searchEnd, &baseSum)
        candidates.stop()
        let finalists = try compareFinalists(search, present, start &+ budget, &baseSum)
        var report = TuneReport(
            model: text.model, objective: objective,
            present: TuneReport.Entry(setting: present, figures: baseSum.figures, comparison: Comparison()),
            finalists: finalists, tried: search.count, size: space.size)
        report.refused = refused
        report.isComplete = isComplete
        if let winner = report.winner, winner.setting == search.best { report.parts = parts }
        return report
    }

    private func bestScore(_ search: ConfigurationSearch) -> Double { search.score(search.best) ?? 0 }

    private func words(_ setting: Setting) -> String {
        Axis.allCases.filter { $0.text(setting) != $0.text(text.present.canonical) }
            .map { "\($0.rawValue) \($0.text(setting))" }.joined(separator: ", ")
    }

    /// 1 for what keeps the limit.
    private func penalty(_ figures: Objective.Figures) -> Double {
        guard let limit = objective.limit, !objective.keeps(figures) else { return 1 }
        return 1e-3 * limit / figures.p99
    }

    private func turn(_ server: CandidateServer) throws(HalcyonError) -> CandidateServer.Turn {
        try server.turn(load, options, length, batch: batch)
    }

    /// What of two is aimed at, as a ratio.
    private func ratio(_ candidate: CandidateServer.Turn, _ base: CandidateServer.Turn) -> Double {
        switch objective.aim {
        case .throughput: candidate.figures.throughput / base.figures.throughput
        case .latency: base.figures.meanLatency / candidate.figures.meanLatency
        }
    }

    private func compare(
        _ setting: Setting, _ server: CandidateServer, _ best: Double, _ baseSum: inout Sum
    ) throws(HalcyonError) -> TuneReport.Entry {
        var comparison = Comparison()
        var sum = Sum()
        for round in 0..<Self.searchRounds {
            // Whoever comes second finds the caches of the other.
            let first = try round % 2 == 0 ? turn(base) : turn(server)
            let second = try round % 2 == 0 ? turn(server) : turn(base)
            let (own, other) = round % 2 == 0 ? (second, first) : (first, second)
            sum.turns.append(own)
            baseSum.turns.append(other)
            comparison.add(ratio(own, other))
            if comparison.mean * penalty(sum.figures) < best * Self.farBehind { break }
        }
        return TuneReport.Entry(setting: setting, figures: sum.figures, comparison: comparison)
    }

    /// What each thing that the best has otherwise brings, as far as there is time.
    private func measureParts(
        _ search: ConfigurationSearch, _ server: CandidateServer, _ end: UInt64, _ baseSum: inout Sum
    ) -> [(axis: Axis, gain: Double?)] {
        let best = search.best
        let present = text.present.canonical
        var parts: [(axis: Axis, gain: Double?)] = []
        for axis in Axis.allCases where axis.text(best) != axis.text(present) {
            let without = axis.copied(from: present, to: best).canonical
            var score = search.score(without)
            if score == nil, clock.now() < end &+ budget / 10, !isInterrupted() {
                progress("what \(axis.rawValue) brings")
                if (try? server.load(without)) != nil, let entry = try? compare(without, server, 0, &baseSum) {
                    score = entry.comparison.mean * penalty(entry.figures)
                }
            }
            parts.append((axis, score.flatMap { $0 > 0 ? bestScore(search) / $0 : nil }))
        }
        return parts
    }

    /// The best, and the present one, in turns until it is clear or the time is over.
    private func compareFinalists(
        _ search: ConfigurationSearch, _ present: Setting, _ end: UInt64, _ baseSum: inout Sum
    ) throws(HalcyonError) -> [TuneReport.Entry] {
        var entries: [(setting: Setting, server: CandidateServer, sum: Sum, comparison: Comparison)] = []
        defer { for entry in entries { entry.server.stop() } }
        for (setting, score) in search.ranking where setting != present && score > 0 && entries.count < Self.finalists {
            let server = try makeServer()
            do throws(HalcyonError) {
                try server.load(setting)
                entries.append((setting, server, Sum(), Comparison()))
            } catch {
                server.stop()
            }
        }
        guard !entries.isEmpty else { return [] }
        var rounds = 0
        while rounds < Self.finalRounds.upperBound, !isInterrupted(),
            rounds < Self.finalRounds.lowerBound || clock.now() < end
        {
            progress("comparing the best \(entries.count) with the present one, round \(rounds + 1)")
            let reference = try turn(base)
            baseSum.turns.append(reference)
            for offset in entries.indices {
                let index = (offset + rounds) % entries.count
                let own = try turn(entries[index].server)
                entries[index].sum.turns.append(own)
                entries[index].comparison.add(ratio(own, reference))
            }
            rounds += 1
        }
        return entries.filter { !$0.sum.turns.isEmpty }.map {
            TuneReport.Entry(setting: $0.setting, figures: $0.sum.figures, comparison: $0.comparison)
        }.sorted { left, right in
            left.comparison.mean * penalty(left.figures) > right.comparison.mean * penalty(right.figures)
        }
    }
}
