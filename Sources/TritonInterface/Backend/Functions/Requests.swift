public import CTriton
internal import ModelRuntime
internal import Tensors

func request(_ pointer: OpaquePointer?) throws(HalcyonError) -> RequestObject {
    try Handles.object(pointer, as: RequestObject.self, "request")
}

@c @implementation public func TRITONBACKEND_RequestId(
    _ request: OpaquePointer?, _ id: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try TritonInterface.request(request)
        try place(id, "id").pointee = request.text(request.source.id)
    }
}

@c @implementation public func TRITONBACKEND_RequestIsCancelled(
    _ request: OpaquePointer?, _ is_cancelled: UnsafeMutablePointer<Bool>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(is_cancelled, "is_cancelled").pointee = try TritonInterface.request(request).source.isCancelled
    }
}

@c @implementation public func TRITONBACKEND_RequestCorrelationId(
    _ request: OpaquePointer?, _ id: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(id, "id")
        switch try TritonInterface.request(request).source.sequence?.id {
        case .number(let number)?: place.pointee = number
        case nil: place.pointee = 0
        case .text(let text)?:
            throw HalcyonError(.invalidArgument, "the correlation id is the text '\(text)', and no number")
        }
    }
}

@c @implementation public func TRITONBACKEND_RequestCorrelationIdString(
    _ request: OpaquePointer?, _ id: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(id, "id")
        let request = try TritonInterface.request(request)
        guard case .text(let text)? = request.source.sequence?.id else {
            throw HalcyonError(.invalidArgument, "the correlation id is a number, and no text")
        }
        place.pointee = request.text(text)
    }
}

@c @implementation public func TRITONBACKEND_InferenceRequestTimeoutMicroseconds(
    _ request: OpaquePointer?, _ timeout: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(timeout, "timeout").pointee = try TritonInterface.request(request).source.timeoutMicroseconds
    }
}

@c @implementation public func TRITONBACKEND_RequestFlags(
    _ request: OpaquePointer?, _ flags: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let sequence = try TritonInterface.request(request).source.sequence
        try place(flags, "flags").pointee =
            (sequence?.isStart == true ? TRITONSERVER_REQUEST_FLAG_SEQUENCE_START.rawValue : 0)
            | (sequence?.isEnd == true ? TRITONSERVER_REQUEST_FLAG_SEQUENCE_END.rawValue : 0)
    }
}

@c @implementation public func TRITONBACKEND_RequestParameterCount(
    _ request: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(count, "count").pointee = UInt32(
            clamping: try TritonInterface.request(request).source.parameters.count)
    }
}

@c @implementation public func TRITONBACKEND_RequestParameter(
    _ request: OpaquePointer?, _ index: UInt32, _ key: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ type: UnsafeMutablePointer<TRITONSERVER_ParameterType>?, _ vvalue: UnsafeMutablePointer<UnsafeRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let parameter = try TritonInterface.request(request).parameter(at: Int(index))
        try place(key, "key").pointee = parameter.name.pointer
        try place(type, "type").pointee = parameter.type
        try place(vvalue, "vvalue").pointee = parameter.value
    }
}

@c @implementation public func TRITONBACKEND_RequestInputCount(
    _ request: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(count, "count").pointee = UInt32(clamping: try TritonInterface.request(request).source.inputs.count)
    }
}

@c @implementation public func TRITONBACKEND_RequestInputName(
    _ request: OpaquePointer?, _ index: UInt32, _ input_name: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(input_name, "input_name").pointee =
            try TritonInterface.request(request).input(at: Int(index)).name.pointer
    }
}

@c @implementation public func TRITONBACKEND_RequestInput(
    _ request: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ input: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(input, "input")
        place.pointee = nil
        place.pointee = try TritonInterface.request(request).input(named: try text(name, "name")).handle
    }
}

@c @implementation public func TRITONBACKEND_RequestInputByIndex(
    _ request: OpaquePointer?, _ index: UInt32, _ input: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(input, "input")
        place.pointee = nil
        place.pointee = try TritonInterface.request(request).input(at: Int(index)).handle
    }
}

@c @implementation public func TRITONBACKEND_RequestOutputCount(
    _ request: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(count, "count").pointee = UInt32(clamping: try TritonInterface.request(request).outputNames.count)
    }
}

@c @implementation public func TRITONBACKEND_RequestOutputName(
    _ request: OpaquePointer?, _ index: UInt32, _ output_name: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(output_name, "output_name")
        let request = try TritonInterface.request(request)
        let names = request.outputNames
        guard names.indices.contains(Int(index)) else {
            throw HalcyonError(
                .invalidArgument, "there is no output number \(index): the request wants \(names.count)")
        }
        place.pointee = request.model.text(names[Int(index)]).pointer
    }
}

@c @implementation public func TRITONBACKEND_RequestOutputBufferProperties(
    _ request: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ byte_size: UnsafeMutablePointer<Int>?,
    _ memory_type: UnsafeMutablePointer<TRITONSERVER_MemoryType>?, _ memory_type_id: UnsafeMutablePointer<Int64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try TritonInterface.request(request)
        let (type, id) = (try place(memory_type, "memory_type"), try place(memory_type_id, "memory_type_id"))
        guard let memory = request.source.outputMemory else {
            // Outputs that no caller has a place for lie where the processor reads them.
            (type.pointee, id.pointee) = (TRITONSERVER_MEMORY_CPU, 0)
            return
        }
        let plan = try memory.plan(for: name.map { String(cString: $0) }, byteCount: byte_size?.pointee)
        guard let plan else {
            throw HalcyonError(
                .unavailable, "output properties are not available: the request's allocator has no query function")
        }
        if let byteCount = plan.byteCount { byte_size?.pointee = byteCount }
        (type.pointee, id.pointee) = plan.placement.triton
    }
}

@c @implementation public func TRITONBACKEND_RequestRelease(
    _ request: OpaquePointer?, _ release_flags: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let isPutBack = release_flags == TRITONSERVER_REQUEST_RELEASE_RESCHEDULE.rawValue
        guard isPutBack || release_flags == TRITONSERVER_REQUEST_RELEASE_ALL.rawValue else {
            throw HalcyonError(
                .invalidArgument,
                "there are no release flags \(release_flags): expected TRITONSERVER_REQUEST_RELEASE_ALL or "
                    + "TRITONSERVER_REQUEST_RELEASE_RESCHEDULE")
        }
        if isPutBack { try TritonInterface.request(request).checkPutBack() }
        let object = try Handles.take(request, as: RequestObject.self, "request")
        object.held?.remove(request)
        object.end()
        if isPutBack { object.source.putBack() } else { object.giveBack() }
    }
}

@c @implementation public func TRITONBACKEND_RequestTrace(
    _ request: OpaquePointer?, _ trace: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try TritonInterface.request(request)
        try place(trace, "trace").pointee = (request.source.trace as? any InterfaceTrace)?.interfaceHandle
    }
}
