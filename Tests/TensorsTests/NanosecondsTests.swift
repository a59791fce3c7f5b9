import Tensors
import Testing

@Suite("Nanoseconds")
struct NanosecondsTests {
    @Test("Units come to nanoseconds, and what does not fit never comes")
    func units() {
        #expect(Nanoseconds.microseconds(2) == 2000 && Nanoseconds.milliseconds(2) == 2_000_000)
        #expect(Nanoseconds.seconds(2) == 2_000_000_000)
        #expect(Nanoseconds.microseconds(.max) == .never && Nanoseconds.seconds(.max / 2) == .never)
    }

    @Test("A time later than the last is the last, and nothing is before its beginning")
    func arithmetic() {
        #expect((5 as Nanoseconds).adding(7) == 12 && Nanoseconds.never.adding(1) == .never)
        #expect((5 as Nanoseconds).since(3) == 2 && (3 as Nanoseconds).since(5) == 0)
        #expect((5 as Nanoseconds).times(3) == 15 && Nanoseconds.never.times(2) == .never)
    }
}
