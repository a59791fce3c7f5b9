internal import Tensors

/// Writes the body of a frame: numbers in little-endian order, texts and lists behind their counts.
package struct WireWriter {
    /// The frame: the body's length, 4 bytes, and the body.
    private(set) var bytes: [UInt8] = [0, 0, 0, 0]

    init() { bytes.reserveCapacity(256) }

    mutating func number<Number: FixedWidthInteger>(_ value: Number) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { text in
            number(UInt32(clamping: text.count))
            bytes.append(contentsOf: text)
        }
    }

    mutating func raw(_ value: [UInt8]) {
        number(UInt32(clamping: value.count))
        bytes.append(contentsOf: value)
    }

    mutating func list<Element>(_ values: some Collection<Element>, _ write: (inout Self, Element) -> Void) {
        number(UInt32(clamping: values.count))
        for value in values { write(&self, value) }
    }

    mutating func optional<Value>(_ value: Value?, _ write: (inout Self, Value) -> Void) {
        flag(value != nil)
        if let value { write(&self, value) }
    }

    mutating func table(_ values: [String: String]) {
        list(values.sorted { $0.key < $1.key }) { writer, entry in
            writer.text(entry.key)
            writer.text(entry.value)
        }
    }

    mutating func error(_ error: HalcyonError) {
        text(error.code.description)
        text(error.message)
    }

    /// Bytes of a tensor, on a boundary of ``TensorStorage/alignment`` of the body.
    mutating func aligned(_ value: TensorBuffer) {
        number(UInt64(clamping: value.byteCount))
        let rest = (bytes.count - 4) % TensorStorage.alignment
        if rest > 0 { bytes.append(contentsOf: repeatElement(0, count: TensorStorage.alignment - rest)) }
        value.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// The whole frame.
    ///
    /// - Throws: `invalidArgument` for one that is larger than the other side takes.
    consuming func frame() throws(HalcyonError) -> [UInt8] {
        let count = bytes.count - 4
        guard count <= FrameSplitter.longest else {
            throw HalcyonError(
                .invalidArgument,
                "\(count) bytes are too many for one message between a server and its worker, of which at most "
                    + "\(FrameSplitter.longest) go into one")
        }
        withUnsafeBytes(of: UInt32(count).littleEndian) { bytes.replaceSubrange(0..<4, with: $0) }
        return bytes
    }
}
