internal import Tensors
internal import Threads

/// The memory with inputs that a worker knows, shared by its instances.
final class InputTable: Sendable {
    private let pieces = Locked<[UInt64: TensorStorage]>([:])

    /// Takes in what the server tells of its memory.
    func admit(_ segments: [WireSegment], _ descriptors: [Int32]) throws(ProtocolFault) {
        guard segments.count == descriptors.count else {
            throw ProtocolFault("\(descriptors.count) descriptors came for \(segments.count) pieces of memory")
        }
        for (segment, descriptor) in zip(segments, descriptors) {
            let memory = try SharedSegment.taken(descriptor, byteCount: segment.byteCount)
            let storage = TensorStorage(owning: memory.start, byteCount: memory.byteCount) { _ in
                withExtendedLifetime(memory) {}
            }
            pieces.withLock { $0[segment.number] = storage }
        }
    }

    func forget(_ numbers: [UInt64]) {
        let gone = pieces.withLock { pieces in numbers.compactMap { pieces.removeValue(forKey: $0) } }
        withExtendedLifetime(gone) {}
    }

    func tensor(_ tensor: WireTensor) throws(ProtocolFault) -> Tensor {
        let data: TensorBuffer
        switch tensor.place {
        case .here(let bytes): data = bytes
        case .segment(let number, let offset, let byteCount):
            guard let storage = pieces.withLock({ $0[number] }) else {
                throw ProtocolFault("there is no memory with the number \(number)")
            }
            do {
                data = try TensorBuffer(storage).slice(offset: offset, byteCount: byteCount)
            } catch {
                throw ProtocolFault("tensor '\(tensor.name)': \(error.message)")
            }
        }
        return Tensor(
            unchecked: tensor.name, elementType: tensor.elementType, shape: tensor.shape, data: data)
    }
}
