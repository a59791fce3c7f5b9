package import Tensors

/// The elements of a `bytes` tensor: a 32-bit little-endian length each, followed by that many bytes.
package enum BytesElements {
    /// The number of elements.
    ///
    /// - Throws: `invalidArgument` where a length reaches over the end.
    package static func count(in tensor: Tensor) throws(HalcyonError) -> Int {
        var offset = 0
        var count = 0
        while offset < tensor.data.byteCount {
            offset = try end(ofElementAt: offset, in: tensor)
            count += 1
        }
        return count
    }

    /// The offset behind `count` elements that begin at `offset`.
    ///
    /// - Throws: `invalidArgument` where there are fewer.
    package static func offset(after count: Int, from offset: Int, in tensor: Tensor) throws(HalcyonError) -> Int {
        var offset = offset
        for _ in 0..<max(0, count) { offset = try end(ofElementAt: offset, in: tensor) }
        return offset
    }

    /// The elements, each as a slice of the tensor's bytes.
    ///
    /// - Throws: `invalidArgument` where a length reaches over the end.
    package static func all(of tensor: Tensor) throws(HalcyonError) -> [TensorBuffer] {
        var elements: [TensorBuffer] = []
        var offset = 0
        while offset < tensor.data.byteCount {
            let end = try end(ofElementAt: offset, in: tensor)
            elements.append(try tensor.data.slice(offset: offset + 4, byteCount: end - offset - 4))
            offset = end
        }
        return elements
    }

    /// Calls `body` with each element's bytes, without making a list of them.
    ///
    /// - Throws: `invalidArgument` where a length reaches over the end; what `body` throws.
    package static func forEach(
        of tensor: Tensor, _ body: (UnsafeRawBufferPointer) throws(HalcyonError) -> Void
    ) throws(HalcyonError) {
        var offset = 0
        while offset < tensor.data.byteCount {
            let end = try end(ofElementAt: offset, in: tensor)
            let start = tensor.data.baseAddress + offset + 4
            try body(UnsafeRawBufferPointer(start: start, count: end - offset - 4))
            offset = end
        }
        withExtendedLifetime(tensor) {}
    }

    private static func end(ofElementAt offset: Int, in tensor: Tensor) throws(HalcyonError) -> Int {
        let available = tensor.data.byteCount - offset
        let length: Int? = tensor.data.withUnsafeBytes { bytes in
            available >= 4
                ? Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))) : nil
        }
        guard let length, length <= available - 4 else {
            throw HalcyonError(
                .invalidArgument,
                "tensor '\(tensor.name)': the element at byte \(offset) reaches over the end of its "
                    + "\(tensor.data.byteCount) bytes")
        }
        return offset + 4 + length
    }
}
