internal import Foundation
internal import Synchronization
import Threads

/// Threads or tasks that send one request after the other until the time is over.
enum Callers {
    struct Outcome {
        var requests: Int
        var seconds: Double
        var perSecond: Double { Double(requests) / seconds }
    }

    private final class Tally: Sendable {
        let requests = Atomic<Int>(0)
        let failure = Locked<(any Error)?>(nil)

        func outcome(since start: ContinuousClock.Instant) throws -> Outcome {
            if let error = failure.withLock({ $0 }) { throw error }
            return Outcome(
                requests: requests.load(ordering: .relaxed), seconds: (ContinuousClock.now - start) / .seconds(1))
        }
    }

    /// Callers that block, a thread each.
    ///
    /// - Parameter burst: calls between two looks at the time.
    static func blocking(
        _ count: Int, seconds: Double, burst: Int = 1, _ call: @escaping @Sendable () throws -> Void
    ) throws -> Outcome {
        let tally = Tally()
        let group = DispatchGroup()
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        for _ in 0..<count {
            group.enter()
            Thread.detachNewThread {
                do {
                    while ContinuousClock.now < end {
                        for _ in 0..<burst { try call() }
                        tally.requests.wrappingAdd(burst, ordering: .relaxed)
                    }
                } catch {
                    tally.failure.withLock { $0 = error }
                }
                group.leave()
            }
        }
        group.wait()
        return try tally.outcome(since: start)
    }

    /// Callers that suspend, a task each.
    static func suspending(
        _ count: Int, seconds: Double, burst: Int = 1, _ call: @escaping @Sendable () async throws -> Void
    ) async throws -> Outcome {
        let tally = Tally()
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    while ContinuousClock.now < end {
                        for _ in 0..<burst { try await call() }
                        tally.requests.wrappingAdd(burst, ordering: .relaxed)
                    }
                }
            }
            try await group.waitForAll()
        }
        return try tally.outcome(since: start)
    }
}
