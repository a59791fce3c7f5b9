/// Writes a JSON text piece by piece, as bytes.
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

    package mutating func append<Integer: FixedWidthInteger>(integer: Integer) {
        var magnitude = UInt64(integer.magnitude)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
                magnitude /= 10
            } while magnitude > 0
            if integer < 0 { bytes.append(UInt8(ascii: "-")) }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// The shortest text that reads back as the same number; `NaN`, `Infinity` and `-Infinity` where it is not finite,
    /// which the reference writes and Python's parser reads.
    package mutating func append<Number: BinaryFloatingPoint & CustomStringConvertible>(number: Number) {
        if number.isFinite {
            bytes.append(contentsOf: number.description.utf8)
        } else if number.isNaN {
            append("NaN")
        } else {
            append(number < 0 ? "-Infinity" : "Infinity")
        }
    }

    package mutating func append(string: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
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
        bytes.append(UInt8(ascii: "\""))
    }
}
