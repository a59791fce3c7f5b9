internal import Dispatch
internal import Foundation

/// The yardstick: what two threads take that do nothing but wake each other.
enum WakeAndAnswer {
    /// The mean of a wake-up and its answer, in nanoseconds.
    static func nanoseconds(rounds: Int = 20_000) -> Double {
        let (question, answer) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        Thread.detachNewThread {
            for _ in 0..<rounds {
                question.wait()
                answer.signal()
            }
        }
        let start = ContinuousClock.now
        for _ in 0..<rounds {
            question.signal()
            answer.wait()
        }
        return (ContinuousClock.now - start) / .nanoseconds(1) / Double(rounds)
    }
}
