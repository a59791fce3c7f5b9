public import CTriton
internal import Tensors

private func inferenceRequest(_ pointer: OpaquePointer?) throws(HalcyonError) -> InferenceRequestObject {
    try Handles.object(pointer, "inference_request")
}

/// Changes what a request has.
private func change(
    _ pointer: OpaquePointer?, _ body: (inout RequestFields) throws(HalcyonError) -> Void
) throws(HalcyonError) {
    try inferenceRequest(pointer).change { state throws(HalcyonError) in try body(&state.fields) }
}

/// Bytes that a caller gave.
private func piece(
    _ base: UnsafeRawPointer?, _ count: Int, _ type: TRITONSERVER_MemoryType, _ id: Int64
) throws(HalcyonError) -> RequestInput.Piece {
    guard count >= 0 else {
        throw HalcyonError(.invalidArgument, "'byte_size' is \(UInt(bitPattern: count)), more than there can be")
    }
    return RequestInput.Piece(base: base, byteCount: count, placement: try MemoryPlacement(type, id))
}

/// A shape that a caller gave.
private func tensorShape(_ dimensions: UnsafePointer<Int64>?, _ count: UInt64) throws(HalcyonError) -> TensorShape {
    guard count <= 1024 else {
        throw HalcyonError(.invalidArgument, "'dim_count' is \(count), expected at most 1024 dimensions")
    }
    guard let dimensions else {
        guard count == 0 else { throw HalcyonError(.invalidArgument, "'shape' is NULL, expected \(count) numbers") }
        return []
    }
    let sizes = (0..<Int(count)).map { Int(dimensions[$0]) }
    if let negative = sizes.first(where: { $0 < 0 }) {
        throw HalcyonError(.invalidArgument, "a request's shape has \(negative), expected sizes from 0")
    }
    return TensorShape(sizes)
}

@c @implementation public func TRITONSERVER_InferenceRequestAddInput(
    _ inference_request: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ datatype: TRITONSERVER_DataType,
    _ shape: UnsafePointer<Int64>?, _ dim_count: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        guard let type = ElementType(datatype) else {
            throw HalcyonError(
                .invalidArgument, "input '\(name)' has the data type \(datatype.rawValue), expected 1 to 14")
        }
        let input = RequestInput(name: name, interface: (type, try tensorShape(shape, dim_count)))
        try change(inference_request) { fields throws(HalcyonError) in try fields.add(input) }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestAddRawInput(
    _ inference_request: OpaquePointer?, _ name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let input = RequestInput(name: try text(name, "name"), interface: nil)
        try change(inference_request) { fields throws(HalcyonError) in try fields.add(input) }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestRemoveInput(
    _ inference_request: OpaquePointer?, _ name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        try change(inference_request) { fields throws(HalcyonError) in try fields.removeInput(name) }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestRemoveAllInputs(
    _ inference_request: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(inference_request) { $0.removeAllInputs() } }
}

@c @implementation public func TRITONSERVER_InferenceRequestAppendInputData(
    _ inference_request: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ base: UnsafeRawPointer?, _ byte_size: Int,
    _ memory_type: TRITONSERVER_MemoryType, _ memory_type_id: Int64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        let piece = try piece(base, byte_size, memory_type, memory_type_id)
        try change(inference_request) { fields throws(HalcyonError) in
            try fields.append(piece, to: name, policy: nil)
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestAppendInputDataWithHostPolicy(
    _ inference_request: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ base: UnsafeRawPointer?, _ byte_size: Int,
    _ memory_type: TRITONSERVER_MemoryType, _ memory_type_id: Int64, _ host_policy_name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        let policy = try text(host_policy_name, "host_policy_name")
        let piece = try piece(base, byte_size, memory_type, memory_type_id)
        try change(inference_request) { fields throws(HalcyonError) in
            try fields.append(piece, to: name, policy: policy)
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestAppendInputDataWithBufferAttributes(
    _ inference_request: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ base: UnsafeRawPointer?,
    _ buffer_attributes: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        let attributes = try Handles.object(
            buffer_attributes, as: BufferAttributesObject.self, "buffer_attributes"
        ).value
        let piece = RequestInput.Piece(base: base, byteCount: attributes.byteCount, placement: attributes.placement)
        try change(inference_request) { fields throws(HalcyonError) in
            try fields.append(piece, to: name, policy: nil)
        }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestRemoveAllInputData(
    _ inference_request: OpaquePointer?, _ name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        try change(inference_request) { fields throws(HalcyonError) in try fields.removeData(of: name) }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestAddRequestedOutput(
    _ inference_request: OpaquePointer?, _ name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        try change(inference_request) { if !$0.requestedOutputs.contains(name) { $0.requestedOutputs.append(name) } }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestRemoveRequestedOutput(
    _ inference_request: OpaquePointer?, _ name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        try change(inference_request) { $0.requestedOutputs.removeAll { $0 == name } }
    }
}

@c @implementation public func TRITONSERVER_InferenceRequestRemoveAllRequestedOutputs(
    _ inference_request: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(inference_request) { $0.requestedOutputs = [] } }
}
