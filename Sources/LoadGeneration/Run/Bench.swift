package import Tensors
package import Threads

/// Measures one load after the other.
package struct Bench {
    package struct Outcome: Sendable {
        package var results: [LevelResult] = []
        /// What ended it before its time; `nil` for nothing.
        package var fault: HalcyonError?
        package var wasInterrupted = false
    }

    /// How often it is looked whether to go on, in nanoseconds.
    private static let step: UInt64 = 50_000_000

    private let target: any LoadTarget
    private let options: LoadOptions
    private let batch: Int
    private let steadiness: Steadiness
    private let length: WindowLength
    private let clock: any SchedulingClock
    /// Whether somebody wants it to end.
    package var isInterrupted: () -> Bool = { false }
    /// Is told how far it is, several times a second.
    package var progress: (BenchProgress) -> Void = { _ in }

    package init(
        _ target: any LoadTarget, _ options: LoadOptions, batch: Int, steadiness: Steadiness, length: WindowLength,
        clock: any SchedulingClock = SystemClock()
    ) {
        self.target = target
        self.options = options
        self.batch = batch
        self.steadiness = steadiness
        self.length = length
        self.clock = clock
    }

    package func run(_ loads: [Load]) -> Outcome {
        var outcome = Outcome()
        for load in loads where outcome.fault == nil && !outcome.wasInterrupted {
            do throws(HalcyonError) {
                try measure(load, &outcome)
            } catch {
                outcome.fault = error
            }
        }
        return outcome
    }

    private func measure(_ load: Load, _ outcome: inout Outcome) throws(HalcyonError) {
        let driver = try target.start(load, options)
        defer { driver.stop() }
        var windows: [Window] = []
        var before = try target.statistics()
        var steady = LevelResult.Steady.interrupted
        loop: while true {
            let start = clock.now()
            let end = wait(driver, load, windows, from: start)
            let now = clock.now()
            let counts = driver.take()
            let after = end == .failed ? nil : try? target.statistics()
            var window = Window(seconds: Double(now &- start) / 1e9, counts: counts)
            if let after, let earlier = before { window.server = after.since(earlier) }
            before = after ?? before
            windows.append(window)
            switch end {
            case .failed:
                outcome.fault = driver.failure
                break loop
            case .interrupted:
                outcome.wasInterrupted = true
                break loop
            case .done:
                steady = .once
                break loop
            case .over: break
            }
            // A recording may have long pauses.
            if case .recorded = load, counts.errorCount == 0 { continue }
            if counts.requests == 0 {
                outcome.fault = Self.fault(counts, seconds: window.seconds)
                break loop
            }
            if case .recorded = load { continue }
            switch steadiness.decision(windows) {
            case .more: continue
            case .steady: steady = .yes
            case .unsteady: steady = .no
            }
            break
        }
        let counted = steady == .once || steady == .interrupted ? windows[...] : steadiness.counted(windows)
        let merged = Window.merged(counted)
        // What nobody has been answered in says nothing.
        guard merged.counts.requests > 0 else { return }
        outcome.results.append(LevelResult(load: load, batch: batch, steady: steady, window: merged))
    }

    private static func fault(_ counts: LoadCounts, seconds: Double) -> HalcyonError {
        if let (kind, _) = counts.errors.max(by: { $0.value < $1.value }) {
            return HalcyonError(.unavailable, "all \(counts.errorCount) requests have failed: \(kind)")
        }
        return HalcyonError(
            .unavailable, "no request was answered in \(Figures.short(seconds)) s: a longer --window may help")
    }

    private enum End {
        case over
        /// A recording has been played, and all is answered.
        case done
        case failed
        case interrupted
    }

    /// Until the window is over, or something ends it.
    private func wait(_ driver: any LoadDriver, _ load: Load, _ windows: [Window], from start: UInt64) -> End {
        let parker = Parker()
        let last = windows.last
        while true {
            if driver.failure != nil { return .failed }
            if isInterrupted() { return .interrupted }
            if driver.isOver { return .done }
            let now = clock.now()
            let elapsed = now &- start
            if length.isOver(elapsed: elapsed, requests: elapsed < length.interval ? 0 : driver.succeeded) {
                return .over
            }
            progress(
                BenchProgress(
                    load: load, window: windows.count + 1, mostWindows: steadiness.most, rate: last?.rate,
                    latency: last?.counts.latency.percentile(99)))
            let left = elapsed < length.interval ? length.interval - elapsed : Self.step
            clock.park(parker, until: now &+ min(left, Self.step))
        }
    }
}
