/// Whether and when a request is sent again. A pure function of what has come of it.
struct RetryPolicy: Hashable, Sendable {
    /// Attempts in all, while none of them brings anything new.
    var attempts = 5
    /// Milliseconds before the second attempt; twice as long before each one behind it.
    var firstDelay: Int64 = 200
    var longestDelay: Int64 = 10_000

    enum Outcome: Hashable, Sendable {
        /// - Parameter retryAfter: what the answer says of it, in seconds.
        case answered(status: Int, retryAfter: Int64?)
        /// The connection could not be made, broke, or stood still.
        ///
        /// - Parameter wasKnown: whether the host's name is known: one that is not will hardly be in a moment.
        case disconnected(wasKnown: Bool)

        static func answered(by answer: StoreAnswer, now: UTCTime) -> Outcome {
            .answered(
                status: answer.status,
                retryAfter: answer.header("retry-after").flatMap { RetryPolicy.seconds(retryAfter: $0, now: now) })
        }
    }

    /// - Parameter attempt: how many there have been, from 1.
    /// - Returns: milliseconds to wait before the next; `nil` for no other.
    func delay(after attempt: Int, _ outcome: Outcome) -> Int64? {
        guard attempt < attempts else { return nil }
        let usual = min(longestDelay, firstDelay << Int64(min(attempt - 1, 20)))
        switch outcome {
        case .disconnected(let wasKnown): return wasKnown || attempt < 2 ? usual : nil
        case .answered(let status, let retryAfter):
            guard [408, 429, 500, 502, 503, 504].contains(status) else { return nil }
            guard let retryAfter else { return usual }
            // Before it is multiplied: any number may come.
            return max(usual, min(30, max(0, retryAfter)) * 1000)
        }
    }

    /// What the header `Retry-After` says, which is a number of seconds or a time.
    ///
    /// - Returns: `nil` for what is neither.
    static func seconds(retryAfter text: String, now: UTCTime) -> Int64? {
        Int64(text) ?? UTCTime(header: text).map { max(0, $0.seconds - now.seconds) }
    }
}
