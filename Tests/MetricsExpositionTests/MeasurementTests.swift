import ModelRuntime
import Tensors
import Testing
import Threads

@testable import MetricsExposition

struct MeasurementTests {
    @Test func `What is being measured is not measured a second time, and what stood stands meanwhile`() {
        let count = Locked(0)
        let measurement = Measurement {
            count.withLock { count in
                count += 1
                return count
            }
        }
        let started = Locked<[@Sendable () -> Void]>([])
        func begin() { measurement.begin { body in started.withLock { $0.append(body) } } }
        for _ in 0..<3 { begin() }
        #expect(measurement.latest == 1)
        #expect(started.withLock(\.count) == 1)
        started.withLock { $0.popLast() }?()
        #expect(measurement.latest == 2)
        begin()
        started.withLock { $0.popLast() }?()
        #expect(measurement.latest == 3)
    }

    @Test func `Where the system gives no thread the next turn tries again`() {
        let measurement = Measurement { 1 }
        measurement.begin { _ in throw HalcyonError(.internal, "no thread") }
        var isStarted = false
        measurement.begin { _ in isStarted = true }
        #expect(isStarted)
    }
}
