public import CTriton
internal import Tensors

private func inferenceRequest(_ pointer: OpaquePointer?) throws(HalcyonError) -> InferenceRequestObject {
    try Handles.object(pointer, "inference_request")
}

@c @implementation public func TRITONSERVER_InferenceRequestNew(
    _ inference_request: UnsafeMutablePointer<OpaquePointer?>?, _ server: OpaquePointer?,
    _ model_name: UnsafePointer<CChar>?, _ model_version: Int64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(inference_request, "inference_request")
        let server = try ServerObject.at(server)
        place.pointee = try Handles.give(
            InferenceRequestObject(
                on: server, model: try text(model_name, "model_name"), version: try version(model_version)))
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestDelete(
    _ inference_request: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try inferenceRequest(inference_request)
        request.delete()
        try Handles.take(inference_request, as: InferenceRequestObject.self, "inference_request")
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetReleaseCallback(
    _ inference_request: OpaquePointer?, _ request_release_fn: TRITONSERVER_InferenceRequestReleaseFn_t?,
    _ request_release_userp: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        guard let request_release_fn else { throw HalcyonError(.invalidArgument, "'request_release_fn' is NULL") }
        try inferenceRequest(inference_request).change {
            $0.callbacks.release = (request_release_fn, request_release_userp)
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestSetResponseCallback(
    _ inference_request: OpaquePointer?, _ response_allocator: OpaquePointer?,
    _ response_allocator_userp: UnsafeMutableRawPointer?, _ response_fn: TRITONSERVER_InferenceResponseCompleteFn_t?,
    _ response_userp: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        guard let response_fn else { throw HalcyonError(.invalidArgument, "'response_fn' is NULL") }
        let allocator = try Handles.object(
            response_allocator, as: ResponseAllocatorObject.self, "response_allocator")
        try inferenceRequest(inference_request).change { state in
            state.callbacks.response = (response_fn, response_userp)
            state.callbacks.allocator = allocator
            state.callbacks.allocatorUserp = response_allocator_userp
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestCancel(
    _ inference_request: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try inferenceRequest(inference_request).lastRun("cancel an inference request").cancel()
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestIsCancelled(
    _ inference_request: OpaquePointer?, _ is_cancelled: UnsafeMutablePointer<Bool>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try inferenceRequest(inference_request)
        try place(is_cancelled, "is_cancelled").pointee = try request.lastRun("query cancellation status").isCancelled
    }
}

@c @implementation public func TRITONSERVER_ServerInferAsync(
    _ server: OpaquePointer?, _ inference_request: OpaquePointer?, _ trace: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        // The trace is the server's in any case, and goes back by its release callback.
        let lease = try trace.map { pointer throws(HalcyonError) in
            TraceLease(try Handles.object(pointer, as: InferenceTraceObject.self, "trace"))
        }
        let server = try ServerObject.at(server)
        let request = try inferenceRequest(inference_request)
        guard let inference_request else { return }
        try request.submit(inference_request, to: server, trace: lease)
    }
}
