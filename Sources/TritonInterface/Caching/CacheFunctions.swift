internal import CTriton
internal import Tensors

private func cacheEntry(_ pointer: OpaquePointer?) throws(HalcyonError) -> CacheEntryObject {
    try Handles.object(pointer, as: CacheEntryObject.self, "entry")
}

private func attributesObject(_ pointer: OpaquePointer?) throws(HalcyonError) -> BufferAttributesObject {
    try Handles.object(pointer, as: BufferAttributesObject.self, "buffer_attributes")
}

private func bufferIndex(_ index: Int) throws(HalcyonError) -> Int {
    guard index >= 0 else {
        throw HalcyonError(.invalidArgument, "there is no buffer number \(UInt(bitPattern: index))")
    }
    return index
}

@c @implementation public func TRITONCACHE_ApiVersion(
    _ major: UnsafeMutablePointer<UInt32>?, _ minor: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let (major, minor) = (try place(major, "major"), try place(minor, "minor"))
        major.pointee = UInt32(TRITONCACHE_API_VERSION_MAJOR)
        minor.pointee = UInt32(TRITONCACHE_API_VERSION_MINOR)
    }
}

@c @implementation public func TRITONCACHE_CacheEntryNew(
    _ entry: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try place(entry, "entry").pointee = try Handles.give(CacheEntryObject([])) }
}

@c @implementation public func TRITONCACHE_CacheEntryDelete(_ entry: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try Handles.take(entry, as: CacheEntryObject.self, "entry") }
}

@c @implementation public func TRITONCACHE_CacheEntryBufferCount(
    _ entry: OpaquePointer?, _ count: UnsafeMutablePointer<Int>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(count, "count")
        place.pointee = try cacheEntry(entry).buffers.count
    }
}

@c @implementation public func TRITONCACHE_CacheEntryAddBuffer(
    _ entry: OpaquePointer?, _ base: UnsafeMutableRawPointer?, _ buffer_attributes: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let entry = try cacheEntry(entry)
        let attributes = try attributesObject(buffer_attributes).value
        guard base != nil || attributes.byteCount == 0 else {
            throw HalcyonError(
                .invalidArgument, "'base' is NULL, expected the address of \(attributes.byteCount) bytes")
        }
        entry.add(.init(base: base, byteCount: attributes.byteCount, placement: attributes.placement))
    }
}

@c @implementation public func TRITONCACHE_CacheEntryGetBuffer(
    _ entry: OpaquePointer?, _ index: Int, _ base: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ buffer_attributes: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let entry = try cacheEntry(entry)
        let place = try place(base, "base")
        let attributes = try attributesObject(buffer_attributes)
        try entry.change(try bufferIndex(index)) { buffer in
            place.pointee = buffer.base
            attributes.change {
                $0.placement = buffer.placement
                $0.memoryTypeID = buffer.placement.triton.id
                $0.byteCount = buffer.byteCount
            }
        }
    }
}

@c @implementation public func TRITONCACHE_CacheEntrySetBuffer(
    _ entry: OpaquePointer?, _ index: Int, _ new_base: UnsafeMutableRawPointer?, _ buffer_attributes: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let entry = try cacheEntry(entry)
        guard let new_base else { throw HalcyonError(.invalidArgument, "'new_base' is NULL, expected an address") }
        let attributes = try buffer_attributes.map { (pointer) throws(HalcyonError) in
            try attributesObject(pointer).value
        }
        try entry.change(try bufferIndex(index)) { buffer in
            buffer.base = new_base
            guard let attributes else { return }
            buffer.byteCount = attributes.byteCount
            buffer.placement = attributes.placement
        }
    }
}

@c @implementation public func TRITONCACHE_Copy(
    _ allocator: OpaquePointer?, _ entry: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let allocator = try Handles.object(allocator, as: CacheAllocatorObject.self, "allocator")
        try allocator.copy(try cacheEntry(entry))
    }
}
