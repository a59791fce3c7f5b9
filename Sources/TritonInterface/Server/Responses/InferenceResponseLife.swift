public import CTriton
internal import Tensors

private func inferenceResponse(_ pointer: OpaquePointer?) throws(HalcyonError) -> InferenceResponseObject {
    try Handles.object(pointer, "inference_response")
}

@c @implementation public func TRITONSERVER_InferenceResponseDelete(
    _ inference_response: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.take(inference_response, as: InferenceResponseObject.self, "inference_response").delete()
    }
}

@c @implementation public func TRITONSERVER_InferenceResponseError(
    _ inference_response: OpaquePointer?
) -> OpaquePointer? {
    do {
        return try inferenceResponse(inference_response).error
    } catch {
        return ErrorObject.give(error)
    }
}

@c @implementation public func TRITONSERVER_InferenceResponseModel(
    _ inference_response: OpaquePointer?, _ model_name: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ model_version: UnsafeMutablePointer<Int64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let response = try inferenceResponse(inference_response)
        try place(model_name, "model_name").pointee = response.modelText.pointer
        try place(model_version, "model_version").pointee = response.modelVersion
    }
}

@c @implementation public func TRITONSERVER_InferenceResponseId(
    _ inference_response: OpaquePointer?, _ request_id: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(request_id, "request_id").pointee = try inferenceResponse(inference_response).idText.pointer
    }
}

@c @implementation public func TRITONSERVER_InferenceResponseParameterCount(
    _ inference_response: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(count, "count").pointee = UInt32(clamping: try inferenceResponse(inference_response).parameters.count)
    }
}

@c @implementation public func TRITONSERVER_InferenceResponseParameter(
    _ inference_response: OpaquePointer?, _ index: UInt32, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ type: UnsafeMutablePointer<TRITONSERVER_ParameterType>?, _ vvalue: UnsafeMutablePointer<UnsafeRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let parameter = try inferenceResponse(inference_response).parameter(index)
        try place(name, "name").pointee = parameter.name.pointer
        try place(type, "type").pointee = parameter.type
        try place(vvalue, "vvalue").pointee = parameter.pointer
    }
}

@c @implementation public func TRITONSERVER_InferenceResponseOutputCount(
    _ inference_response: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(count, "count").pointee = UInt32(clamping: try inferenceResponse(inference_response).outputs.count)
    }
}

@c @implementation public func TRITONSERVER_InferenceResponseOutput(
    _ inference_response: OpaquePointer?, _ index: UInt32, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ datatype: UnsafeMutablePointer<TRITONSERVER_DataType>?, _ shape: UnsafeMutablePointer<UnsafePointer<Int64>?>?,
    _ dim_count: UnsafeMutablePointer<UInt64>?, _ base: UnsafeMutablePointer<UnsafeRawPointer?>?,
    _ byte_size: UnsafeMutablePointer<Int>?, _ memory_type: UnsafeMutablePointer<TRITONSERVER_MemoryType>?,
    _ memory_type_id: UnsafeMutablePointer<Int64>?, _ userp: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let output = try inferenceResponse(inference_response).output(index)
        try place(name, "name").pointee = output.nameText.pointer
        try place(datatype, "datatype").pointee = output.type.triton
        try place(shape, "shape").pointee = UnsafePointer(output.dimensions)
        try place(dim_count, "dim_count").pointee = UInt64(output.rank)
        try place(base, "base").pointee = UnsafeRawPointer(output.memory.base)
        try place(byte_size, "byte_size").pointee = output.memory.byteCount
        try place(memory_type, "memory_type").pointee = output.memory.type
        try place(memory_type_id, "memory_type_id").pointee = output.memory.typeID
        try place(userp, "userp").pointee = output.memory.userp
    }
}

@c @implementation public func TRITONSERVER_InferenceResponseOutputClassificationLabel(
    _ inference_response: OpaquePointer?, _ index: UInt32, _ class_index: Int,
    _ label: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let response = try inferenceResponse(inference_response)
        let output = try response.output(index)
        try place(label, "label").pointee = response.label(of: output, class_index)?.pointer
    }
}
