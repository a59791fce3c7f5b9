import Scheduling
import Testing

@Suite("Refused requests of sequences")
struct SequenceErrorsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var request: SequencedRequest
        var error: String
    }

    static let cases: [Case] = {
        var batch = SequencedRequest.test(1, of: 0)
        batch.batchSize = 2
        let prefix = "Invalid argument: inference request"
        let noCorrelation = "\(prefix) to model 'm' must specify a non-zero or non-empty correlation ID"
        return [
            Case(
                testDescription: "several items, before all else", request: batch,
                error: "\(prefix) to model 'm' must specify batch-size 1 due to requirements of sequence batcher"),
            Case(testDescription: "correlation id 0", request: .test(1, of: 0, start: true), error: noCorrelation),
            Case(
                testDescription: "empty correlation id", request: .test(1, of: .text(""), start: true),
                error: noCorrelation),
            Case(
                testDescription: "number not started", request: .test(1, of: 42),
                error: "\(prefix) for sequence 42 to model 'm' must specify the START flag on the first request of the "
                    + "sequence"),
            Case(
                testDescription: "text not started, though the number was",
                request: .test(1, of: .text("7"), end: true),
                error: "\(prefix) for sequence 7 to model 'm' must specify the START flag on the first request of the "
                    + "sequence"),
            Case(
                testDescription: "queue full", request: .test(1, of: 7),
                error: "Unavailable: Exceeds maximum queue size: 2 requests wait already"),
        ]
    }()

    @Test("Each refusal says what Triton says, and changes nothing", arguments: cases)
    func refusals(_ refused: Case) throws {
        var machine = SequenceMachine.direct(slots: 1, limit: 2)
        try machine.add(.test(1, of: 7, start: true))
        try machine.add(.test(2, of: 8, start: true))
        #expect(machine.refusal(of: refused.request) == refused.error)
        #expect(machine.sequenceCount == 2 && machine.waitingCount == 2)
    }

    @Test("A model that is being stopped says so, to whoever begins a sequence and then to everybody")
    func stopping() throws {
        let sentence =
            "Unavailable: Server is stopping, scheduler for model has stopped accepting new inference requests"
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true))
        machine.drain(keepingSequences: true)
        #expect(machine.refusal(of: .test(2, of: 1)) == nil)
        #expect(machine.refusal(of: .test(3, of: 1, start: true)) == sentence)
        #expect(machine.refusal(of: .test(4, of: 2))?.contains("START") == true)
        machine.drain()
        #expect(machine.refusal(of: .test(5, of: 1)) == sentence)
    }
}
