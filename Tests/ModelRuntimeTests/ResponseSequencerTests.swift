import Testing

@testable import ModelRuntime

@Suite("Response sequencer")
struct ResponseSequencerTests {
    private func drain(_ sequencer: inout ResponseSequencer<Int>) -> [Int] {
        var delivered: [Int] = []
        while let next = sequencer.nextDelivery() { delivered.append(next) }
        return delivered
    }

    @Test("What comes out of order waits for its turn")
    func order() {
        var sequencer = ResponseSequencer<Int>()
        let early = [sequencer.complete(2, 2), sequencer.complete(1, 1)]
        #expect(early == [false, false])
        let first = sequencer.complete(0, 0)
        #expect(first)
        #expect(drain(&sequencer) == [0, 1, 2])
        let third = sequencer.complete(3, 3)
        #expect(third)
        #expect(drain(&sequencer) == [3])
    }

    @Test("While one thread delivers, another leaves its response to it")
    func oneDeliverer() {
        var sequencer = ResponseSequencer<Int>()
        let first = sequencer.complete(0, 0)
        #expect(first)
        let delivered = sequencer.nextDelivery()
        #expect(delivered == 0)
        // The first is being delivered now: the second may not overtake it.
        let second = sequencer.complete(1, 1)
        #expect(!second)
        #expect(drain(&sequencer) == [1])
    }
}
