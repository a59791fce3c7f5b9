/// Writes a JSON text piece by piece, as bytes.
@usableFromInline
package struct JSONOutput {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    /// Text that is JSON already.
    package mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Bytes that are JSON already.
    package mutating func append(json: ArraySlice<UInt8>) { bytes.append(contentsOf: json) }

    @inlinable package mutating func append<Integer: FixedWidthInteger>(integer: Integer) {
        append(magnitude: UInt64(integer.magnitude), isNegative: integer < 0)
    }

    @usableFromInline mutating func append(magnitude: UInt64, isNegative: Bool) {
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        guard magnitude > 9 else { return bytes.append(UInt8(ascii: "0") + UInt8(magnitude)) }
        var magnitude = magnitude
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
                magnitude /= 10
            } while magnitude > 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// The shortest text that reads back as the same number; `NaN`, `Infinity` and `-Infinity` where it is not finite,
    /// which Triton writes and Python's parser reads.
    package mutating func append(number: Float) {
        guard let whole = Int32(exactly: number), appendWhole(whole) else { return append(fraction: number) }
    }

    package mutating func append(number: Double) {
        guard let whole = Int32(exactly: number), appendWhole(whole) else { return append(fraction: number) }
    }

    /// What has no fraction, without a look for the shortest one. A zero may have a sign.
    private mutating func appendWhole(_ number: Int32) -> Bool {
        guard number != 0, number.magnitude < Self.longestWhole else { return false }
        append(integer: number)
        append(".0")
        return true
    }

    private mutating func append<Number: BinaryFloatingPoint & CustomStringConvertible>(fraction number: Number) {
        if number.isFinite {
            var text = number.description
            text.withUTF8 { bytes.append(contentsOf: $0) }
        } else if number.isNaN {
            append("NaN")
        } else {
            append(number < 0 ? "-Infinity" : "Infinity")
        }
    }

    /// Whole numbers below this are written without an exponent.
    private static let longestWhole: UInt32 = 1_000_000

    package mutating func append(string: String) {
        var string = string
        bytes.append(UInt8(ascii: "\""))
        string.withUTF8 { text in
            if text.contains(where: Self.isEscaped) {
                appendEscaped(text)
            } else {
                bytes.append(contentsOf: text)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case ..<0x20:
                append("\\u00")
                bytes.append(UInt8(ascii: "0") + byte >> 4)
                let low = byte & 0xF
                bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
            default: bytes.append(byte)
            }
        }
    }
}
