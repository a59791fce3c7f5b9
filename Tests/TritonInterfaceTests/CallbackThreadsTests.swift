import Synchronization
import Testing
import Threads

@testable import TritonInterface

@Suite("Threads for a program's callbacks")
struct CallbackThreadsTests {
    @Test("A job that blocks holds up none behind it")
    func blocking() {
        let threads = CallbackThreads()
        let clock = SystemClock()
        let (arrived, done) = (Locked(0), Locked(0))
        let changed = Signal()
        for _ in 0..<4 {
            threads.run {
                arrived.withLock { $0 += 1 }
                changed.notify()
                // Each waits until all are under way.
                _ = changed.wait(until: nil, clock: clock) { arrived.withLock { $0 == 4 } }
                done.withLock { $0 += 1 }
                changed.notify()
            }
        }
        #expect(changed.wait(until: nil, clock: clock) { done.withLock { $0 == 4 } })
    }

    @Test("Jobs that come while others run, from many threads, are all done")
    func many() async {
        let threads = CallbackThreads()
        let count = Locked(0)
        let changed = Signal()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<250 {
                        threads.run {
                            // A job may hand in more.
                            threads.run {
                                count.withLock { $0 += 1 }
                                changed.notify()
                            }
                        }
                    }
                }
            }
        }
        #expect(changed.wait(until: nil, clock: SystemClock()) { count.withLock { $0 == 1000 } })
    }
}
