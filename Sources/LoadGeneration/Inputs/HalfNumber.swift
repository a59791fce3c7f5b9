/// Sixteen-bit floating-point numbers (IEEE 754 binary16), for processors for which Swift has none.
enum HalfNumber {
    /// The nearest one's bits; infinite where it is too large.
    static func bits(_ value: Float) -> UInt16 {
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        let size = abs(value)
        if value.isNaN { return sign | 0x7E00 }
        if size >= 65520 { return sign | 0x7C00 }
        // The smallest normal number; below it the steps are all the same.
        if size < 0x1p-14 { return sign | UInt16((size * 0x1p24).rounded(.toNearestOrEven)) }
        // A fraction that is rounded up to 1024 carries into the exponent, as it should.
        let fraction = ((size.significand - 1) * 1024).rounded(.toNearestOrEven)
        return sign | (UInt16(clamping: Int(size.exponent) + 15) << 10) &+ UInt16(fraction)
    }
}
