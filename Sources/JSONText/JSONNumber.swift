private import Glibc

/// A number of a JSON text: exact where it is whole and fits 64 bits.
package enum JSONNumber: Hashable {
    /// Negative, or small enough for both signs.
    case integer(Int64)
    /// Over the largest signed number.
    case unsigned(UInt64)
    case double(Double)

    package var double: Double {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .double(let value): value
        }
    }
}

/// The parts of a number as they stand in the text: (−1 if `isNegative`) × `digits` × 10^`exponent`.
struct JSONDecimal {
    var isNegative = false
    /// The digits as a whole number; meaningless where `isExact` is false.
    var digits: UInt64 = 0
    /// Whether all digits fit 64 bits.
    var isExact = true
    var exponent = 0
    var isWhole = true
    /// Where it stands in the text.
    var range: Range<Int>

    /// The powers of ten that a `Double` holds without rounding.
    static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// `digits` × 10^`exponent` with at most two roundings, where both factors are at hand.
    private var scaled: Double? {
        guard isExact, exponent >= -22, exponent <= 22 else { return nil }
        let value = Double(digits)
        let scaled = exponent < 0 ? value / Self.powersOfTen[-exponent] : value * Self.powersOfTen[exponent]
        return isNegative ? -scaled : scaled
    }

    /// The nearest `Double`. With up to 53 bits of digits and a power of ten that is exact, one division or product
    /// rounds once and so correctly (Clinger, "How to read floating point numbers accurately", 1990).
    func double(in text: UnsafeBufferPointer<UInt8>) -> Double {
        if digits < 1 << 53, let scaled { return scaled }
        return libraryDouble(in: text)
    }

    /// The nearest `Float`. A `Double` that is off by two units in its last place still rounds to the right `Float`,
    /// unless it lies that close to the middle between two of them.
    func float(in text: UnsafeBufferPointer<UInt8>) -> Float {
        if let scaled {
            let magnitude = scaled.magnitude
            let distance = Int64(scaled.bitPattern & 0x1FFF_FFFF) - 0x1000_0000
            let isNormal = magnitude == 0 || (magnitude > 1.2e-38 && magnitude < 3.4e38)
            if isNormal, distance.magnitude > 2 { return Float(scaled) }
        }
        return libraryFloat(in: text)
    }

    private func libraryDouble(in text: UnsafeBufferPointer<UInt8>) -> Double {
        withTerminated(text) { strtod($0, nil) }
    }

    private func libraryFloat(in text: UnsafeBufferPointer<UInt8>) -> Float {
        withTerminated(text) { strtof($0, nil) }
    }

    private func withTerminated<Result>(
        _ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafePointer<CChar>) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: range.count + 1) { buffer in
            for (index, byte) in text[range].enumerated() { buffer[index] = CChar(bitPattern: byte) }
            buffer[range.count] = 0
            guard let start = buffer.baseAddress else { return body([0]) }
            return body(start)
        }
    }
}
