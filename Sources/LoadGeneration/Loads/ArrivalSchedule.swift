private import Glibc

/// The moments at which requests are due, in nanoseconds from the start, one after the other.
package struct ArrivalSchedule: Sendable {
    private enum Source {
        case constant(interval: Double)
        case poisson(interval: Double, SplitMix)
        case recorded([UInt64])
    }

    private var source: Source
    /// Moments given out.
    private var count = 0
    private var last: Double = 0
    /// Of which moments this schedule gives every one: those whose number leaves `remainder` when divided by `divisor`.
    private let divisor: Int
    private let remainder: Int

    /// A part of the moments of a load, so that several threads share them; `nil` for a load in closed loop.
    ///
    /// - Parameters:
    ///   - part: which one, from 0.
    ///   - parts: how many there are.
    package init?(_ load: Load, seed: UInt64, part: Int = 0, of parts: Int = 1) {
        switch load {
        case .concurrency: return nil
        case .rate(let rate, .constant): source = .constant(interval: 1e9 / rate)
        case .rate(let rate, .poisson): source = .poisson(interval: 1e9 / rate, SplitMix(seed: seed))
        case .recorded(let times): source = .recorded(times)
        }
        divisor = parts
        remainder = part
    }

    /// The next moment; `nil` when a recording is over.
    package mutating func next() -> UInt64? {
        while true {
            let index = count
            guard let moment = following() else { return nil }
            if index % divisor == remainder { return moment }
        }
    }

    private mutating func following() -> UInt64? {
        defer { count += 1 }
        switch source {
        case .constant(let interval): return Self.whole(interval * Double(count))
        case .poisson(let interval, var generator):
            if count > 0 { last -= interval * log(1 - generator.fraction()) }
            source = .poisson(interval: interval, generator)
            return Self.whole(last)
        case .recorded(let times): return count < times.count ? times[count] : nil
        }
    }

    private static func whole(_ value: Double) -> UInt64 { UInt64(exactly: value.rounded()) ?? .max }
}
