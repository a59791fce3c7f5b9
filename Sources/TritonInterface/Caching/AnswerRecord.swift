internal import ModelRuntime
package import Tensors

/// What a cache's first buffer says of an answer: for which request it is, byte for byte, and what its outputs are. The
/// outputs' bytes are the buffers behind it.
///
/// Libraries find an answer by a short key, which two requests may share; by this no request gets another's answer.
package enum AnswerRecord {
    private static let mark: UInt32 = 0x3143_4148

    // MARK: Requests

    /// All that an answer depends on.
    ///
    /// - Parameter load: how many loads of that version came before in this process.
    static func request(_ key: CacheKey, load: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(key.inputs.reduce(128) { $0 + $1.data.byteCount + 64 })
        add(key.version.name, to: &bytes)
        add(UInt64(bitPattern: key.version.number), to: &bytes)
        add(load, to: &bytes)
        add(UInt64(key.steps.count), to: &bytes)
        for step in key.steps { add(step, to: &bytes) }
        add(UInt64(key.outputs.count), to: &bytes)
        for output in key.outputs { add(output, to: &bytes) }
        for input in key.inputs {
            describe(input, to: &bytes)
            input.data.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// A text by which libraries find the answer: the same in every process.
    static func name(of request: [UInt8], _ version: CacheKey.Version) -> String {
        var (low, high) = (0x9E37_79B9_7F4A_7C15 as UInt64, 0xC2B2_AE3D_27D4_EB4F as UInt64)
        func mix(_ word: UInt64) {
            low = (low ^ word) &* 0xFF51_AFD7_ED55_8CCD
            low ^= low >> 32
            high = (high &+ word) &* 0xC4CE_B9FE_1A85_EC53
            high ^= high >> 29
        }
        request.withUnsafeBytes { bytes in
            var offset = 0
            while offset + 8 <= bytes.count {
                mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                offset += 8
            }
            var rest: UInt64 = 0
            for byte in bytes[offset...] { rest = rest << 8 | UInt64(byte) }
            mix(rest)
            mix(UInt64(bytes.count))
        }
        return "\(version.name):\(version.number):\(String(high, radix: 16)):\(String(low, radix: 16))"
    }

    // MARK: Answers

    package static func header(_ request: [UInt8], _ outputs: [Tensor]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(request.count + 64 * (outputs.count + 1))
        withUnsafeBytes(of: mark.littleEndian) { bytes.append(contentsOf: $0) }
        add(UInt64(request.count), to: &bytes)
        bytes += request
        add(UInt64(outputs.count), to: &bytes)
        for output in outputs { describe(output, to: &bytes) }
        return bytes
    }

    /// Reads an answer.
    ///
    /// - Parameter buffers: the header and the outputs that have bytes; they are copied.
    /// - Returns: `nil` for an answer to another request, and for what is none.
    package static func outputs(_ buffers: [UnsafeRawBufferPointer], for request: [UInt8]) -> [Tensor]? {
        guard let first = buffers.first else { return nil }
        var reader = Reader(first)
        guard let mark = reader.bytes(4), mark.loadUnaligned(as: UInt32.self).littleEndian == self.mark,
            let length = reader.number(), let known = reader.bytes(length), known.elementsEqual(request),
            let count = reader.number(), count <= first.count
        else { return nil }
        var outputs: [Tensor] = []
        var next = 1
        for _ in 0..<count {
            guard let name = reader.text(), let type = reader.text().flatMap(ElementType.init(rawValue:)),
                let rank = reader.number(), rank <= first.count
            else { return nil }
            var dimensions: [Int] = []
            for _ in 0..<rank {
                guard let size = reader.number() else { return nil }
                dimensions.append(size)
            }
            guard let byteCount = reader.number() else { return nil }
            var data = TensorBuffer(TensorStorage.allocate(byteCount: 0))
            if byteCount > 0 {
                guard buffers.indices.contains(next), buffers[next].count == byteCount else { return nil }
                data = TensorBuffer(copying: buffers[next])
                next += 1
            }
            guard let output = try? Tensor(name: name, elementType: type, shape: TensorShape(dimensions), data: data)
            else { return nil }
            outputs.append(output)
        }
        return outputs
    }

    // MARK: Bytes

    private static func describe(_ tensor: Tensor, to bytes: inout [UInt8]) {
        add(tensor.name, to: &bytes)
        add(tensor.elementType.rawValue, to: &bytes)
        add(UInt64(tensor.shape.rank), to: &bytes)
        for size in tensor.shape.dimensions { add(UInt64(bitPattern: Int64(size)), to: &bytes) }
        add(UInt64(tensor.data.byteCount), to: &bytes)
    }

    private static func add(_ number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func add(_ text: String, to bytes: inout [UInt8]) {
        add(UInt64(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private struct Reader {
        private let content: UnsafeRawBufferPointer
        private var offset = 0

        init(_ content: UnsafeRawBufferPointer) { self.content = content }

        mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
            guard count <= content.count - offset else { return nil }
            defer { offset += count }
            return UnsafeRawBufferPointer(rebasing: content[offset..<offset + count])
        }

        /// A number that counts something, so none below 0.
        mutating func number() -> Int? {
            guard let bytes = bytes(8) else { return nil }
            return Int(exactly: UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)))
        }

        mutating func text() -> String? {
            guard let count = number(), let bytes = bytes(count) else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
