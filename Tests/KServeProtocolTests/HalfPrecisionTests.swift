import KServeProtocol
import Testing

@Suite("16-bit floating-point numbers")
struct HalfPrecisionTests {
    @Test("Every binary16 number survives the way there and back")
    func fp16() {
        for bits in UInt16.min...UInt16.max {
            let value = HalfPrecision.fp16(bits)
            guard !value.isNaN else { continue }
            #expect(HalfPrecision.fp16(Double(value)) == bits)
        }
    }

    @Test(
        "Rounding to the nearest, ties to even",
        arguments: [
            (1.0, 0x3C00), (65504.0, 0x7BFF), (65519.9, 0x7BFF), (65520.0, 0x7C00), (0x1p-24, 1), (0x1p-25, 0),
            (0x1.8p-24, 2), (-2.0, 0xC000), (1 + 0x1p-11, 0x3C00), (1 + 3 * 0x1p-11, 0x3C02), (-0.0, 0x8000),
        ] as [(Double, UInt16)])
    func fp16Rounding(value: Double, bits: UInt16) {
        #expect(HalfPrecision.fp16(value) == bits)
    }

    @Test("bfloat16 is the upper half of a Float, rounded")
    func bf16() {
        for bits in UInt16.min...UInt16.max {
            let value = HalfPrecision.bf16(bits)
            guard !value.isNaN else { continue }
            #expect(HalfPrecision.bf16(Double(value)) == bits)
        }
        #expect(HalfPrecision.bf16(1 + 0x1p-8) == 0x3F80)
        #expect(HalfPrecision.bf16(1 + 3 * 0x1p-8) == 0x3F82)
        #expect(HalfPrecision.bf16(Double.nan) == 0x7FC0)
    }
}
