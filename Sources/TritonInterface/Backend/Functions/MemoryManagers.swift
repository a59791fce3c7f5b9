public import CTriton
private import Glibc
internal import Tensors

@c @implementation public func TRITONBACKEND_MemoryManagerAllocate(
    _ manager: OpaquePointer?, _ buffer: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ memory_type: TRITONSERVER_MemoryType, _ memory_type_id: Int64, _ byte_size: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        _ = try Handles.object(manager, as: MemoryManagerObject.self, "manager")
        let place = try place(buffer, "buffer")
        place.pointee = nil
        try checkIsOrdinary(memory_type, memory_type_id)
        guard let size = Int(exactly: byte_size), size < 1 << 46 else {
            throw HalcyonError(.unavailable, "there is no memory of \(byte_size) bytes")
        }
        guard posix_memalign(place, TensorStorage.alignment, max(1, size)) == 0 else {
            place.pointee = nil
            throw HalcyonError(.unavailable, "there is no memory of \(byte_size) bytes at the moment")
        }
    }
}

@c @implementation public func TRITONBACKEND_MemoryManagerFree(
    _ manager: OpaquePointer?, _ buffer: UnsafeMutableRawPointer?, _ memory_type: TRITONSERVER_MemoryType,
    _ memory_type_id: Int64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        _ = try Handles.object(manager, as: MemoryManagerObject.self, "manager")
        try checkIsOrdinary(memory_type, memory_type_id)
        free(buffer)
    }
}

/// Backends that ask for other memory take ordinary memory where they are told that there is none.
private func checkIsOrdinary(_ type: TRITONSERVER_MemoryType, _ id: Int64) throws(HalcyonError) {
    let placement = try MemoryPlacement(type, id)
    guard placement == .cpu else {
        throw HalcyonError(.unsupported, "backends get ordinary memory only, and this is \(placement)")
    }
}
