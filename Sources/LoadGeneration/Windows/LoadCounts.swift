/// What came of the requests of some time.
package struct LoadCounts: Sendable {
    /// Kinds of errors that are told apart.
    private static let kindLimit = 20

    /// From when a request was due to its last response.
    package var latency = LatencyHistogram()
    /// To the first response of those that get several; empty otherwise.
    package var firstResponse = LatencyHistogram()
    /// Requests that got what they asked for.
    package private(set) var requests = 0
    package private(set) var responses = 0
    /// Requests that failed, by what was wrong.
    package private(set) var errors: [String: Int] = [:]
    /// Requests in open loop that could not be sent when they were due, as too many were under way.
    package private(set) var late = 0

    package init() {}

    package mutating func succeeded(_ nanoseconds: UInt64, first: UInt64? = nil, responses count: Int = 1) {
        latency.record(nanoseconds)
        if let first { firstResponse.record(first) }
        requests += 1
        responses += count
    }

    package mutating func failed(_ kind: String, times: Int = 1) {
        let key = errors[kind] != nil || errors.count < Self.kindLimit ? kind : "other errors"
        errors[key, default: 0] += times
    }

    package mutating func wasLate() { late += 1 }

    package mutating func add(_ other: LoadCounts) {
        latency.add(other.latency)
        firstResponse.add(other.firstResponse)
        requests += other.requests
        responses += other.responses
        for (kind, count) in other.errors { failed(kind, times: count) }
        late += other.late
    }

    package var errorCount: Int { errors.values.reduce(0, +) }
}
