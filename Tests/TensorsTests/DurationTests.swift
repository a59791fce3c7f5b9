import Tensors
import Testing

@Suite struct DurationTests {
    @Test(arguments: [
        (Duration.zero, UInt64(0), UInt64(0)), (.nanoseconds(1), 1, 1), (.microseconds(1), 1000, 1),
        (.nanoseconds(1999), 1999, 1), (.seconds(2), 2_000_000_000, 2_000_000), (.seconds(-5), 0, 0),
        (.seconds(Int64.max), .max, .max),
    ])
    func `A duration as a whole number is clamped, and no microsecond is lost to zero`(
        duration: Duration, nanoseconds: UInt64, microseconds: UInt64
    ) {
        #expect(duration.wholeNanoseconds == nanoseconds && duration.wholeMicroseconds == microseconds)
    }

    @Test(arguments: [0, 1, 999_999_999, 1_000_000_001, UInt64(Int64.max), .max])
    func `A number of microseconds becomes a duration and comes back`(number: UInt64) {
        #expect(Duration(microseconds: number).wholeMicroseconds == number)
    }
}
