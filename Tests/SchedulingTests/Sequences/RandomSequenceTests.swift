import Scheduling
import Testing

/// Thousands of made-up schedules against a plain model of what must become of every sequence.
@Suite("Random schedules of sequences")
struct RandomSequenceTests {
    @Test(
        "Nothing is lost, order and slots are kept, nothing waits in vain",
        arguments: (0..<20).map { UInt64($0) })
    func invariants(block: UInt64) {
        for seed in block * 100..<(block + 1) * 100 {
            var run = SequenceRun(seed: seed)
            for _ in 0..<150 { run.step() }
            run.drain()
            #expect(run.machine.isDrained, "seed \(seed) did not drain")
            #expect(run.model.lives.isEmpty, "seed \(seed) lost a sequence")
            run.checkFates(seed: seed)
        }
    }
}
