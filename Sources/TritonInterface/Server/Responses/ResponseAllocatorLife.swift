public import CTriton
internal import Tensors

@c @implementation public func TRITONSERVER_ResponseAllocatorNew(
    _ allocator: UnsafeMutablePointer<OpaquePointer?>?, _ alloc_fn: TRITONSERVER_ResponseAllocatorAllocFn_t?,
    _ release_fn: TRITONSERVER_ResponseAllocatorReleaseFn_t?, _ start_fn: TRITONSERVER_ResponseAllocatorStartFn_t?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(allocator, "allocator")
        guard let alloc_fn else { throw HalcyonError(.invalidArgument, "'alloc_fn' is NULL") }
        guard let release_fn else { throw HalcyonError(.invalidArgument, "'release_fn' is NULL") }
        let object = ResponseAllocatorObject(.init(allocate: alloc_fn, release: release_fn, start: start_fn))
        let pointer = try Handles.give(object)
        object.isCalled(pointer)
        place.pointee = pointer
    }
}

@c @implementation public func TRITONSERVER_ResponseAllocatorSetBufferAttributesFunction(
    _ allocator: OpaquePointer?, _ buffer_attributes_fn: TRITONSERVER_ResponseAllocatorBufferAttributesFn_t?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.object(allocator, as: ResponseAllocatorObject.self, "allocator").change {
            $0.attributes = buffer_attributes_fn
        }
    }
}

@c @implementation public func TRITONSERVER_ResponseAllocatorSetQueryFunction(
    _ allocator: OpaquePointer?, _ query_fn: TRITONSERVER_ResponseAllocatorQueryFn_t?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.object(allocator, as: ResponseAllocatorObject.self, "allocator").change { $0.query = query_fn }
    }
}

@c @implementation public func TRITONSERVER_ResponseAllocatorDelete(_ allocator: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try Handles.take(allocator, as: ResponseAllocatorObject.self, "allocator") }
}
