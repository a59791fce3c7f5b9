internal import CTriton
internal import Tensors
internal import Threads

/// An input of a request that a backend holds: one piece of memory.
package final class InputObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .input }
    let tensor: Tensor
    let name: CText
    let shape: UnsafeMutableBufferPointer<Int64>
    private let attributes = Locked<OpaquePointer?>(nil)
    /// Valid until ``end()``.
    private let own = Locked<OpaquePointer?>(nil)

    init(_ tensor: Tensor, name: CText) throws(HalcyonError) {
        self.tensor = tensor
        self.name = name
        shape = .allocate(capacity: tensor.shape.rank)
        for (index, size) in tensor.shape.dimensions.enumerated() {
            shape.initializeElement(at: index, to: Int64(size))
        }
        super.init()
        let handle = try Handles.give(self)
        own.withLock { $0 = handle }
    }

    deinit { shape.deallocate() }

    var handle: OpaquePointer? { own.withLock { $0 } }

    /// What there is to say of its memory.
    func attributesHandle() throws(HalcyonError) -> OpaquePointer {
        try attributes.withLock { attributes throws(HalcyonError) in
            if let attributes { return attributes }
            let made = try Handles.give(
                BufferAttributesObject(placement: tensor.data.placement, byteCount: tensor.data.byteCount))
            attributes = made
            return made
        }
    }

    func end() {
        if let handle = attributes.withLock({ $0.take() }) {
            _ = try? Handles.take(handle, as: BufferAttributesObject.self, "buffer_attributes")
        }
        if let handle = own.withLock({ $0.take() }) { _ = try? Handles.take(handle, as: InputObject.self, "input") }
    }
}
