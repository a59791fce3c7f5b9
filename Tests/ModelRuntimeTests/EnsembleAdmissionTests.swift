import Scheduling
import Tensors
import Testing

@testable import ModelRuntime

@Suite("Admission to an ensemble")
struct EnsembleAdmissionTests {
    private static func enter(
        _ id: Int, _ admission: inout EnsembleAdmission, timeout: UInt64 = 0
    ) throws -> RequestHandle {
        guard case .waits(let handle) = admission.enter(id, timeout: timeout, now: 0) else {
            throw CancellationError()
        }
        return handle
    }

    @Test("Where there is no limit everything starts at once")
    func unlimited() {
        var admission = EnsembleAdmission(limit: 0)
        guard case .start = admission.enter(1, timeout: 0, now: 0) else {
            Issue.record("it waits")
            return
        }
        #expect(admission.next() == nil && !admission.isIdle)
        admission.ended()
        #expect(admission.isIdle)
    }

    @Test("As many run as may, in the order in which they came, and one thread at a time starts them")
    func turns() throws {
        var admission = EnsembleAdmission(limit: 2)
        for id in 1...4 { _ = try Self.enter(id, &admission) }
        #expect(admission.next() == 1 && admission.next() == nil)
        admission.started()
        #expect(admission.next() == 2)
        admission.started()
        #expect(admission.next() == nil && admission.waitingCount == 2)
        admission.ended()
        #expect(admission.next() == 3)
    }

    @Test("Those that wait leave by their timeouts or when nobody wants them any more")
    func leaving() throws {
        var admission = EnsembleAdmission(limit: 1)
        _ = try Self.enter(1, &admission)
        #expect(admission.next() == 1)
        admission.started()
        _ = try Self.enter(2, &admission, timeout: 20)
        let third = try Self.enter(3, &admission, timeout: 10)
        _ = try Self.enter(4, &admission)
        #expect(admission.nextExpiry() == 10 && admission.expire(now: 9).isEmpty)
        #expect(admission.withdraw(third) == 3 && admission.withdraw(third) == nil)
        #expect(admission.nextExpiry() == 20 && admission.expire(now: 20) == [2])
        admission.ended()
        #expect(admission.next() == 4)
    }

    @Test("Draining refuses new requests and lets those that wait have their turn; what is given up is said")
    func draining() throws {
        var admission = EnsembleAdmission(limit: 1)
        _ = try Self.enter(1, &admission)
        _ = try Self.enter(2, &admission)
        admission.drain()
        guard case .refused(let error) = admission.enter(3, timeout: 0, now: 0) else {
            Issue.record("it was taken")
            return
        }
        #expect(error.code == .unavailable)
        #expect(admission.next() == 1)
        admission.started()
        admission.ended()
        #expect(!admission.isIdle && admission.abandon() == [2] && admission.isIdle)
    }
}
