internal import CTriton
internal import Tensors

/// An input of a request that a backend holds: one piece of memory.
package final class InputObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .input }
    let tensor: Tensor
    let name: CText
    let shape: UnsafeMutableBufferPointer<Int64>
    private let attributes = GivenHandle()
    /// Valid until ``end()``.
    private let own = GivenHandle()

    init(_ tensor: Tensor, name: CText) throws(HalcyonError) {
        self.tensor = tensor
        self.name = name
        shape = .allocate(capacity: tensor.shape.rank)
        for (index, size) in tensor.shape.dimensions.enumerated() {
            shape.initializeElement(at: index, to: Int64(size))
        }
        super.init()
        try own.give(self)
    }

    deinit { shape.deallocate() }

    var handle: OpaquePointer? { own.pointer }

    /// What there is to say of its memory.
    func attributesHandle() throws(HalcyonError) -> OpaquePointer {
        try attributes.give(
            BufferAttributesObject(placement: tensor.data.placement, byteCount: tensor.data.byteCount))
    }

    func end() {
        attributes.take(BufferAttributesObject.self)
        own.take(InputObject.self)
    }
}
