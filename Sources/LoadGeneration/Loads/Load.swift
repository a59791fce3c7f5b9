/// How requests are made: how many are under way at a time, or when each is due.
package enum Load: Hashable, Sendable {
    /// Closed loop: that many requests are under way, and each answer brings the next request.
    case concurrency(Int)
    /// Open loop: that many requests are due in a second, whatever becomes of those before.
    case rate(Double, ArrivalForm)
    /// Open loop: requests are due when a file says so; nanoseconds from the start, ascending.
    case recorded([UInt64])

    /// How it is named in reports: a concurrency, a rate, or `trace`.
    package var label: String {
        switch self {
        case .concurrency(let count): String(count)
        case .rate(let rate, _): Figures.short(rate)
        case .recorded: "trace"
        }
    }

    /// What the label counts.
    package var kind: String {
        switch self {
        case .concurrency: "concurrency"
        case .rate: "request rate"
        case .recorded: "arrivals"
        }
    }

    /// Requests a second that are asked for; `nil` in closed loop.
    package var offeredRate: Double? {
        switch self {
        case .concurrency: nil
        case .rate(let rate, _): rate
        case .recorded(let times):
            times.last.flatMap { $0 > 0 ? Double(times.count) / (Double($0) / 1e9) : nil }
        }
    }
}

/// How the moments lie at which requests are due.
package enum ArrivalForm: String, Hashable, Sendable, CaseIterable {
    /// Always the same time apart.
    case constant
    /// Independent of each other, as many people's requests are: exponentially distributed times apart.
    case poisson
}
