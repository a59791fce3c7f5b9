import HalcyonTestKit
import Testing

@testable import TritonInterface

@Suite("A backend that is being taken apart")
struct BackendEndTests {
    private let clock = ManualClock()

    @Test func `What is taken apart, or left as it is, is not waited for`() {
        let end = BackendEnd(clock: clock)
        end.end()
        #expect(end.wait())
    }

    @Test func `Once it has begun its end is waited for, for half a minute`() async {
        let end = BackendEnd(clock: clock)
        async let isOver = offPool { end.wait() }
        await offPool { [clock] in clock.waitForSleeper(until: clock.now() + BackendEnd.patience) }
        end.begin()
        // It goes on waiting, until then.
        await offPool { [clock] in clock.waitForSleeper(until: clock.now() + BackendEnd.duration) }
        end.end()
        #expect(await isOver)

        let stuck = BackendEnd(clock: clock)
        stuck.begin()
        async let isNotStuck = offPool { stuck.wait() }
        await offPool { [clock] in clock.waitForSleeper(until: clock.now() + BackendEnd.duration) }
        clock.advance(by: BackendEnd.duration)
        #expect(await !isNotStuck)
    }

    @Test func `What nobody lets go of is waited for no longer than a second`() async {
        let end = BackendEnd(clock: clock)
        async let isOver = offPool { end.wait() }
        await offPool { [clock] in clock.waitForSleeper(until: clock.now() + BackendEnd.patience) }
        clock.advance(by: BackendEnd.patience)
        #expect(await isOver)
    }
}
