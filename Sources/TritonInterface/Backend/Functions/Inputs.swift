public import CTriton
internal import Tensors

@c @implementation public func TRITONBACKEND_InputProperties(
    _ input: OpaquePointer?, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ datatype: UnsafeMutablePointer<TRITONSERVER_DataType>?, _ shape: UnsafeMutablePointer<UnsafePointer<Int64>?>?,
    _ dims_count: UnsafeMutablePointer<UInt32>?, _ byte_size: UnsafeMutablePointer<UInt64>?,
    _ buffer_count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(input, as: InputObject.self, "input")
        name?.pointee = object.name.pointer
        datatype?.pointee = object.tensor.elementType.triton
        shape?.pointee = UnsafePointer(object.shape.baseAddress)
        dims_count?.pointee = UInt32(object.shape.count)
        byte_size?.pointee = UInt64(object.tensor.data.byteCount)
        buffer_count?.pointee = 1
    }
}

@c @implementation public func TRITONBACKEND_InputPropertiesForHostPolicy(
    _ input: OpaquePointer?, _ host_policy_name: UnsafePointer<CChar>?,
    _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?, _ datatype: UnsafeMutablePointer<TRITONSERVER_DataType>?,
    _ shape: UnsafeMutablePointer<UnsafePointer<Int64>?>?, _ dims_count: UnsafeMutablePointer<UInt32>?,
    _ byte_size: UnsafeMutablePointer<UInt64>?, _ buffer_count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    // The same bytes for every policy.
    TRITONBACKEND_InputProperties(input, name, datatype, shape, dims_count, byte_size, buffer_count)
}

private func bytes(_ input: OpaquePointer?, _ index: UInt32) throws(HalcyonError) -> InputObject {
    let object = try Handles.object(input, as: InputObject.self, "input")
    guard index == 0 else {
        throw HalcyonError(
            .invalidArgument, "input '\(object.tensor.name)' has no buffer number \(index): it has 1")
    }
    return object
}

@c @implementation public func TRITONBACKEND_InputBuffer(
    _ input: OpaquePointer?, _ index: UInt32, _ buffer: UnsafeMutablePointer<UnsafeRawPointer?>?,
    _ buffer_byte_size: UnsafeMutablePointer<UInt64>?, _ memory_type: UnsafeMutablePointer<TRITONSERVER_MemoryType>?,
    _ memory_type_id: UnsafeMutablePointer<Int64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try bytes(input, index)
        let placement = object.tensor.data.placement.triton
        try place(buffer, "buffer").pointee = UnsafeRawPointer(object.tensor.data.baseAddress)
        try place(buffer_byte_size, "buffer_byte_size").pointee = UInt64(object.tensor.data.byteCount)
        try place(memory_type, "memory_type").pointee = placement.type
        try place(memory_type_id, "memory_type_id").pointee = placement.id
    }
}

@c @implementation public func TRITONBACKEND_InputBufferForHostPolicy(
    _ input: OpaquePointer?, _ host_policy_name: UnsafePointer<CChar>?, _ index: UInt32,
    _ buffer: UnsafeMutablePointer<UnsafeRawPointer?>?, _ buffer_byte_size: UnsafeMutablePointer<UInt64>?,
    _ memory_type: UnsafeMutablePointer<TRITONSERVER_MemoryType>?, _ memory_type_id: UnsafeMutablePointer<Int64>?
) -> OpaquePointer? {
    TRITONBACKEND_InputBuffer(input, index, buffer, buffer_byte_size, memory_type, memory_type_id)
}

@c @implementation public func TRITONBACKEND_InputBufferAttributes(
    _ input: OpaquePointer?, _ index: UInt32, _ buffer: UnsafeMutablePointer<UnsafeRawPointer?>?,
    _ buffer_attributes: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try bytes(input, index)
        try place(buffer, "buffer").pointee = UnsafeRawPointer(object.tensor.data.baseAddress)
        try place(buffer_attributes, "buffer_attributes").pointee = try object.attributesHandle()
    }
}
