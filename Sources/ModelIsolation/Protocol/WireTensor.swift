package import Tensors

/// A tensor in a message: what it is, and where its bytes lie.
package struct WireTensor: Sendable {
    /// Where a tensor's bytes are.
    package enum Place: Sendable {
        /// In the message itself.
        case here(TensorBuffer)
        /// In a piece of shared memory.
        case segment(number: UInt64, offset: Int, byteCount: Int)
    }

    package var name: String
    package var elementType: ElementType
    package var shape: TensorShape
    package var place: Place

    private static let types = ElementType.allCases
    /// Dimensions of a tensor at most.
    private static let deepest = 64

    func write(to writer: inout WireWriter) {
        writer.text(name)
        writer.number(UInt8(Self.types.firstIndex(of: elementType) ?? 0))
        writer.list(shape.dimensions) { $0.number(Int64($1)) }
        switch place {
        case .here(let bytes):
            writer.flag(true)
            writer.aligned(bytes)
        case .segment(let number, let offset, let byteCount):
            writer.flag(false)
            writer.number(number)
            writer.number(UInt64(clamping: offset))
            writer.number(UInt64(clamping: byteCount))
        }
    }

    /// Reads one, and checks that its bytes are as many as its type and shape say.
    static func read(_ reader: inout WireReader) throws(ProtocolFault) -> WireTensor {
        let name = try reader.text()
        let index = Int(try reader.number(UInt8.self))
        guard types.indices.contains(index) else { throw ProtocolFault("no element type has the number \(index)") }
        let dimensions = try reader.list { reader throws(ProtocolFault) in Int(try reader.number(Int64.self)) }
        guard dimensions.count <= deepest else {
            throw ProtocolFault("tensor '\(name)' has \(dimensions.count) dimensions, and \(deepest) are allowed")
        }
        let place: Place =
            if try reader.flag() {
                .here(try reader.aligned())
            } else {
                .segment(number: try reader.number(), offset: try reader.count(), byteCount: try reader.count())
            }
        let tensor = WireTensor(name: name, elementType: types[index], shape: TensorShape(dimensions), place: place)
        try tensor.check()
        return tensor
    }

    var byteCount: Int {
        switch place {
        case .here(let bytes): bytes.byteCount
        case .segment(_, _, let byteCount): byteCount
        }
    }

    private func check() throws(ProtocolFault) {
        do throws(HalcyonError) {
            let expected = elementType == .bytes ? nil : try shape.byteCount(of: elementType)
            if expected == nil { _ = try shape.elementCount() }
            guard expected == nil || expected == byteCount else {
                throw HalcyonError(
                    .internal,
                    "it has \(byteCount) bytes, where \(elementType.rawValue) of shape \(shape) takes \(expected ?? 0)")
            }
        } catch {
            throw ProtocolFault("tensor '\(name)': \(error.message)")
        }
    }
}
