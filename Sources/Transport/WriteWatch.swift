package import NIOCore

/// How long a client may take for its answers. It has a while for the first bytes, and each that it takes gives it as
/// much time as the slowest client that is served needs for it, but never more than that while.
package struct WriteWatch {
    /// Bytes a second of the slowest client that is served.
    package static let slowestRate = 32 << 10

    private let patience: TimeAmount
    /// When it is over; `nil` while nothing waits for the client.
    package private(set) var deadline: NIODeadline?
    private var waiting = 0

    /// - Parameter seconds: how long a client may take nothing.
    package init(patience seconds: Int64) { patience = .seconds(seconds) }

    /// Bytes are on their way to the client.
    package mutating func gave(_ count: Int, at now: NIODeadline) {
        waiting += count
        if deadline == nil { deadline = now + patience }
    }

    /// The system has taken bytes for it.
    package mutating func took(_ count: Int, at now: NIODeadline) {
        waiting -= count
        guard let deadline, waiting > 0 else {
            self.deadline = nil
            return
        }
        let more = TimeAmount.nanoseconds(Int64(count) * 1_000_000_000 / Int64(Self.slowestRate))
        self.deadline = min(now + patience, deadline + more)
    }

    package func isOver(at now: NIODeadline) -> Bool { deadline.map { $0 <= now } ?? false }
}
