/// The two 16-bit floating-point formats, as their bits.
package enum HalfPrecision {
    /// The nearest IEEE 754 binary16 number, ties to even.
    package static func fp16(_ value: Double) -> UInt16 {
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        let magnitude = value.magnitude
        if magnitude.isNaN { return sign | 0x7E00 }
        if magnitude >= 65520 { return sign | 0x7C00 }
        if magnitude < 0x1p-14 {
            // Subnormal: a whole number of 2^-24; rounding up to 1024 of them is the smallest normal number.
            return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
        }
        let exponent = Int(magnitude.exponent)
        let significand = (magnitude.significand * 1024).rounded(.toNearestOrEven)
        // A significand that rounds up to 2048 carries into the exponent, as it should.
        return sign | UInt16((exponent + 15) << 10) &+ UInt16(significand) &- 1024
    }

    /// The value of a binary16 number.
    package static func fp16(_ bits: UInt16) -> Float {
        let sign: Float = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Float(bits & 0x3FF)
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
        }
    }

    /// The nearest bfloat16 number, ties to even.
    package static func bf16(_ value: Double) -> UInt16 {
        let single = Float(value)
        if single.isNaN { return 0x7FC0 }
        let bits = single.bitPattern
        let rounding = 0x7FFF + (bits >> 16 & 1)
        return UInt16(truncatingIfNeeded: (bits &+ rounding) >> 16)
    }

    /// The value of a bfloat16 number.
    package static func bf16(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
}
