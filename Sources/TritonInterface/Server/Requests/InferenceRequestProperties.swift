internal import CTriton
internal import ModelRuntime
internal import Tensors

private func inferenceRequest(_ pointer: OpaquePointer?) throws(HalcyonError) -> InferenceRequestObject {
    try Handles.object(pointer, "inference_request")
}

@c @implementation public func TRITONSERVER_InferenceRequestId(
    _ inference_request: OpaquePointer?, _ id: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try inferenceRequest(inference_request)
        try place(id, "id").pointee = try request.change { $0.text(\.idText, $0.fields.id) }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetId(
    _ inference_request: OpaquePointer?, _ id: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let id = try text(id, "id")
        try inferenceRequest(inference_request).change { $0.fields.id = id }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestFlags(
    _ inference_request: OpaquePointer?, _ flags: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try inferenceRequest(inference_request)
        try place(flags, "flags").pointee = try request.read { $0.fields.flags }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetFlags(
    _ inference_request: OpaquePointer?, _ flags: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try inferenceRequest(inference_request).change { state throws(HalcyonError) in
            try state.fields.set(flags: flags)
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestCorrelationId(
    _ inference_request: OpaquePointer?, _ correlation_id: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try inferenceRequest(inference_request)
        try place(correlation_id, "correlation_id").pointee = try request.read { state throws(HalcyonError) in
            guard case .number(let number) = state.fields.correlation else {
                throw HalcyonError(.invalidArgument, "given request's correlation id is not an unsigned int")
            }
            return number
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestCorrelationIdString(
    _ inference_request: OpaquePointer?, _ correlation_id: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try inferenceRequest(inference_request)
        try place(correlation_id, "correlation_id").pointee = try request.change { state throws(HalcyonError) in
            guard case .text(let text) = state.fields.correlation else {
                throw HalcyonError(.invalidArgument, "given request's correlation id is not a string")
            }
            return state.text(\.correlationText, text)
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetCorrelationId(
    _ inference_request: OpaquePointer?, _ correlation_id: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try inferenceRequest(inference_request).change { $0.fields.correlation = .number(correlation_id) }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetCorrelationIdString(
    _ inference_request: OpaquePointer?, _ correlation_id: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let id = try text(correlation_id, "correlation_id")
        guard id.utf8.count <= 128 else {
            throw HalcyonError(
                .invalidArgument, "a correlation id has at most 128 bytes, got \(id.utf8.count)")
        }
        try inferenceRequest(inference_request).change { $0.fields.correlation = .text(id) }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestPriority(
    _ inference_request: OpaquePointer?, _ priority: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try inferenceRequest(inference_request)
        try place(priority, "priority").pointee = try request.read { UInt32(clamping: $0.fields.priority) }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetPriority(
    _ inference_request: OpaquePointer?, _ priority: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try inferenceRequest(inference_request).change { $0.fields.priority = UInt64(priority) }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestPriorityUInt64(
    _ inference_request: OpaquePointer?, _ priority: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try inferenceRequest(inference_request)
        try place(priority, "priority").pointee = try request.read { $0.fields.priority }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetPriorityUInt64(
    _ inference_request: OpaquePointer?, _ priority: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try inferenceRequest(inference_request).change { $0.fields.priority = priority }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestTimeoutMicroseconds(
    _ inference_request: OpaquePointer?, _ timeout_us: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try inferenceRequest(inference_request)
        try place(timeout_us, "timeout_us").pointee = try request.read { $0.fields.timeoutMicroseconds }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetTimeoutMicroseconds(
    _ inference_request: OpaquePointer?, _ timeout_us: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try inferenceRequest(inference_request).change { $0.fields.timeoutMicroseconds = timeout_us }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetStringParameter(
    _ request: OpaquePointer?, _ key: UnsafePointer<CChar>?, _ value: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let key = try text(key, "key")
        let value = try text(value, "value")
        try Handles.object(request, as: InferenceRequestObject.self, "request").change {
            state throws(HalcyonError) in try state.fields.set(key, .string(value))
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetIntParameter(
    _ request: OpaquePointer?, _ key: UnsafePointer<CChar>?, _ value: Int64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let key = try text(key, "key")
        try Handles.object(request, as: InferenceRequestObject.self, "request").change {
            state throws(HalcyonError) in try state.fields.set(key, .integer(value))
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetBoolParameter(
    _ request: OpaquePointer?, _ key: UnsafePointer<CChar>?, _ value: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let key = try text(key, "key")
        try Handles.object(request, as: InferenceRequestObject.self, "request").change {
            state throws(HalcyonError) in try state.fields.set(key, .bool(value))
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetDoubleParameter(
    _ request: OpaquePointer?, _ key: UnsafePointer<CChar>?, _ value: Double
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let key = try text(key, "key")
        try Handles.object(request, as: InferenceRequestObject.self, "request").change {
            state throws(HalcyonError) in try state.fields.set(key, .number(value))
        }
    }
}
