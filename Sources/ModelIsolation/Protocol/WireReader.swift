internal import Tensors

/// What one side says that the protocol does not allow. Whoever gets it trusts the other side no further.
package struct ProtocolFault: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}

/// Reads the body of a frame. Each read is checked against the body's end, and each count against what is left of it.
struct WireReader {
    private let body: TensorBuffer
    private var position = 0

    init(_ body: TensorBuffer) { self.body = body }

    var left: Int { body.byteCount - position }

    private mutating func take(_ count: Int) throws(ProtocolFault) -> Int {
        guard count >= 0, count <= left else {
            throw ProtocolFault("a message ends \(count - left) bytes too early")
        }
        defer { position += count }
        return position
    }

    mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type = Number.self
    ) throws(ProtocolFault) -> Number {
        let start = try take(MemoryLayout<Number>.size)
        return Number(littleEndian: body.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: Number.self) })
    }

    /// A number of things, as an `Int`.
    mutating func count() throws(ProtocolFault) -> Int {
        guard let value = Int(exactly: try number(UInt64.self)) else { throw ProtocolFault("a number is too large") }
        return value
    }

    mutating func flag() throws(ProtocolFault) -> Bool {
        switch try number(UInt8.self) {
        case 0: return false
        case 1: return true
        case let other: throw ProtocolFault("a flag is 0 or 1, got \(other)")
        }
    }

    mutating func text() throws(ProtocolFault) -> String {
        let count = Int(try number(UInt32.self))
        let start = try take(count)
        return body.withUnsafeBytes { String(decoding: $0[start..<start + count], as: UTF8.self) }
    }

    mutating func raw() throws(ProtocolFault) -> [UInt8] {
        let count = Int(try number(UInt32.self))
        let start = try take(count)
        return body.withUnsafeBytes { Array($0[start..<start + count]) }
    }

    mutating func list<Element>(
        _ read: (inout Self) throws(ProtocolFault) -> Element
    ) throws(ProtocolFault) -> [Element] {
        let count = Int(try number(UInt32.self))
        // An element has at least one byte: nothing is reserved for what can't be there.
        guard count <= left else { throw ProtocolFault("a list of \(count) does not fit into its message") }
        var elements: [Element] = []
        elements.reserveCapacity(min(count, 64))
        for _ in 0..<count { elements.append(try read(&self)) }
        return elements
    }

    mutating func optional<Value>(
        _ read: (inout Self) throws(ProtocolFault) -> Value
    ) throws(ProtocolFault) -> Value? {
        try flag() ? try read(&self) : nil
    }

    mutating func table() throws(ProtocolFault) -> [String: String] {
        let entries = try list { reader throws(ProtocolFault) in (try reader.text(), try reader.text()) }
        return Dictionary(entries, uniquingKeysWith: { first, _ in first })
    }

    mutating func error() throws(ProtocolFault) -> HalcyonError {
        let code = try text()
        let message = try text()
        guard let known = HalcyonError.Code.all.first(where: { $0.description == code }) else {
            throw ProtocolFault("no error has the code '\(code)'")
        }
        return HalcyonError(known, message)
    }

    mutating func aligned() throws(ProtocolFault) -> TensorBuffer {
        let count = try count()
        let rest = position % TensorStorage.alignment
        if rest > 0 { _ = try take(TensorStorage.alignment - rest) }
        let start = try take(count)
        do {
            return try body.slice(offset: start, byteCount: count)
        } catch {
            throw ProtocolFault(error.message)
        }
    }

    /// - Throws: where something follows that nobody has asked for.
    func end() throws(ProtocolFault) {
        guard left == 0 else { throw ProtocolFault("\(left) bytes follow behind a message") }
    }
}
