public import CTriton
package import Tensors
private import Threads

/// What C programs say of a piece of memory.
package final class BufferAttributesObject: TritonObject, @unchecked Sendable {
    package struct Attributes: @unchecked Sendable {
        package var placement = MemoryPlacement.cpu
        /// Kept beside the placement, as either may be set first.
        package var memoryTypeID: Int64 = 0
        package var byteCount = 0
        /// 64 bytes; `nil` where other processes do not get at it.
        package var ipcHandle: UnsafeMutableRawPointer?
    }

    package override class var kind: HandleKind { .bufferAttributes }
    private let attributes = Locked(Attributes())
    private static let ipcHandleSize = 64

    package init(placement: MemoryPlacement = .cpu, byteCount: Int = 0) {
        super.init()
        attributes.withLock {
            $0.placement = placement
            $0.memoryTypeID = placement.triton.id
            $0.byteCount = byteCount
        }
    }

    deinit { attributes.withLock { $0.ipcHandle?.deallocate() } }

    package var value: Attributes {
        get { attributes.withLock { $0 } }
        set { attributes.withLock { $0 = newValue } }
    }

    func change(_ body: (inout Attributes) -> Void) { attributes.withLock { body(&$0) } }

    func setIPCHandle(_ handle: UnsafeMutableRawPointer) {
        attributes.withLock { attributes in
            let copy =
                attributes.ipcHandle ?? .allocate(byteCount: Self.ipcHandleSize, alignment: 8)
            copy.copyMemory(from: handle, byteCount: Self.ipcHandleSize)
            attributes.ipcHandle = copy
        }
    }
}

private func attributes(_ pointer: OpaquePointer?) throws(HalcyonError) -> BufferAttributesObject {
    try Handles.object(pointer, "buffer_attributes")
}

@c @implementation public func TRITONSERVER_BufferAttributesNew(
    _ buffer_attributes: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(buffer_attributes, "buffer_attributes").pointee = try Handles.give(BufferAttributesObject())
    }
}

@c @implementation public func TRITONSERVER_BufferAttributesDelete(
    _ buffer_attributes: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.take(buffer_attributes, as: BufferAttributesObject.self, "buffer_attributes")
    }
}

@c @implementation public func TRITONSERVER_BufferAttributesSetMemoryTypeId(
    _ buffer_attributes: OpaquePointer?, _ memory_type_id: Int64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try attributes(buffer_attributes)
        object.change { if case .gpu = $0.placement { $0.placement = .gpu(Int(clamping: memory_type_id)) } }
        object.change { $0.memoryTypeID = memory_type_id }
    }
}

@c @implementation public func TRITONSERVER_BufferAttributesSetMemoryType(
    _ buffer_attributes: OpaquePointer?, _ memory_type: TRITONSERVER_MemoryType
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try attributes(buffer_attributes)
        let placement = try MemoryPlacement(memory_type, object.value.memoryTypeID)
        object.change { $0.placement = placement }
    }
}

@c @implementation public func TRITONSERVER_BufferAttributesSetCudaIpcHandle(
    _ buffer_attributes: OpaquePointer?, _ cuda_ipc_handle: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        guard let cuda_ipc_handle else { throw HalcyonError(.invalidArgument, "'cuda_ipc_handle' is NULL") }
        try attributes(buffer_attributes).setIPCHandle(cuda_ipc_handle)
    }
}

@c @implementation public func TRITONSERVER_BufferAttributesSetByteSize(
    _ buffer_attributes: OpaquePointer?, _ byte_size: Int
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        guard byte_size >= 0 else {
            throw HalcyonError(
                .invalidArgument, "'byte_size' is \(UInt(bitPattern: byte_size)), more than there can be")
        }
        try attributes(buffer_attributes).change { $0.byteCount = byte_size }
    }
}

@c @implementation public func TRITONSERVER_BufferAttributesMemoryTypeId(
    _ buffer_attributes: OpaquePointer?, _ memory_type_id: UnsafeMutablePointer<Int64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(memory_type_id, "memory_type_id").pointee = try attributes(buffer_attributes).value.memoryTypeID
    }
}

@c @implementation public func TRITONSERVER_BufferAttributesMemoryType(
    _ buffer_attributes: OpaquePointer?, _ memory_type: UnsafeMutablePointer<TRITONSERVER_MemoryType>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(memory_type, "memory_type").pointee = try attributes(buffer_attributes).value.placement.triton.type
    }
}

@c @implementation public func TRITONSERVER_BufferAttributesCudaIpcHandle(
    _ buffer_attributes: OpaquePointer?, _ cuda_ipc_handle: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(cuda_ipc_handle, "cuda_ipc_handle").pointee = try attributes(buffer_attributes).value.ipcHandle
    }
}

@c @implementation public func TRITONSERVER_BufferAttributesByteSize(
    _ buffer_attributes: OpaquePointer?, _ byte_size: UnsafeMutablePointer<Int>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(byte_size, "byte_size").pointee = try attributes(buffer_attributes).value.byteCount
    }
}
