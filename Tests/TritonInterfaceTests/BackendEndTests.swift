import HalcyonTestKit
import Testing

@testable import TritonInterface

@Suite("A backend that is being taken apart")
struct BackendEndTests {
    private let clock = ManualClock()

    @Test func `What is taken apart, or left as it is, is not waited for`() {
        let end = BackendEnd(clock: clock)
        end.end()
        end.wait()
    }

    @Test func `Once it has begun its end is waited for, however long that takes`() async {
        let end = BackendEnd(clock: clock)
        async let waiting: Void = offPool { end.wait() }
        await offPool { clock.waitForSleeper(until: clock.now() + 1_000_000_000) }
        end.begin()
        clock.advance(by: 60_000_000_000)
        end.end()
        await waiting
    }

    @Test func `What nobody lets go of is waited for no longer than a second`() async {
        let end = BackendEnd(clock: clock)
        async let waiting: Void = offPool { end.wait() }
        await offPool { clock.waitForSleeper(until: clock.now() + 1_000_000_000) }
        clock.advance(by: 1_000_000_000)
        await waiting
    }
}
