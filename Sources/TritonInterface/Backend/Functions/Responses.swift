public import CTriton
internal import ModelRuntime
internal import Tensors

func response(_ pointer: OpaquePointer?) throws(HalcyonError) -> ResponseObject {
    try Handles.object(pointer, as: ResponseObject.self, "response")
}

func factory(_ pointer: OpaquePointer?) throws(HalcyonError) -> ResponseFactoryObject {
    try Handles.object(pointer, as: ResponseFactoryObject.self, "factory")
}

private func isFinal(_ flags: UInt32) -> Bool { flags & TRITONSERVER_RESPONSE_COMPLETE_FINAL.rawValue != 0 }

// MARK: Factories

@c @implementation public func TRITONBACKEND_ResponseFactoryNew(
    _ factory: UnsafeMutablePointer<OpaquePointer?>?, _ request: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try TritonInterface.request(request)
        let place = try place(factory, "factory")
        let handle = try Handles.give(ResponseFactoryObject(of: request))
        request.held?.add(factory: handle, request.source)
        place.pointee = handle
    }
}

@c @implementation public func TRITONBACKEND_ResponseFactoryDelete(_ factory: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.take(factory, as: ResponseFactoryObject.self, "factory").held?.remove(factory)
    }
}

@c @implementation public func TRITONBACKEND_ResponseFactorySendFlags(
    _ factory: OpaquePointer?, _ send_flags: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let factory = try TritonInterface.factory(factory)
        if isFinal(send_flags) { factory.source.finish() }
    }
}

@c @implementation public func TRITONBACKEND_ResponseFactoryIsCancelled(
    _ factory: OpaquePointer?, _ is_cancelled: UnsafeMutablePointer<Bool>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(is_cancelled, "is_cancelled").pointee = try TritonInterface.factory(factory).source.isCancelled
    }
}

// MARK: Responses

@c @implementation public func TRITONBACKEND_ResponseNew(
    _ response: UnsafeMutablePointer<OpaquePointer?>?, _ request: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try TritonInterface.request(request)
        try place(response, "response").pointee = try Handles.give(ResponseObject(request.source, of: request.model))
    }
}

@c @implementation public func TRITONBACKEND_ResponseNewFromFactory(
    _ response: UnsafeMutablePointer<OpaquePointer?>?, _ factory: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let factory = try TritonInterface.factory(factory)
        try place(response, "response").pointee = try Handles.give(ResponseObject(factory.source, of: factory.model))
    }
}

@c @implementation public func TRITONBACKEND_ResponseDelete(_ response: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try Handles.take(response, as: ResponseObject.self, "response").end() }
}

@c @implementation public func TRITONBACKEND_ResponseSetStringParameter(
    _ response: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ value: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let value = try text(value, "value")
        try TritonInterface.response(response).add(InferenceParameter(try text(name, "name"), .string(value)))
    }
}

@c @implementation public func TRITONBACKEND_ResponseSetIntParameter(
    _ response: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ value: Int64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try TritonInterface.response(response).add(InferenceParameter(try text(name, "name"), .integer(value)))
    }
}

@c @implementation public func TRITONBACKEND_ResponseSetBoolParameter(
    _ response: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ value: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try TritonInterface.response(response).add(InferenceParameter(try text(name, "name"), .bool(value)))
    }
}

@c @implementation public func TRITONBACKEND_ResponseSetDoubleParameter(
    _ response: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ value: Double
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try TritonInterface.response(response).add(InferenceParameter(try text(name, "name"), .number(value)))
    }
}

@c @implementation public func TRITONBACKEND_ResponseSend(
    _ response: OpaquePointer?, _ send_flags: UInt32, _ error: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        // The error is looked at first: a wrong one leaves the response with the caller.
        let failure = try error.map { (error) throws(HalcyonError) in
            try Handles.object(error, as: ErrorObject.self, "error").error
        }
        try Handles.take(response, as: ResponseObject.self, "response")
            .send(isFinal: isFinal(send_flags), error: failure)
    }
}

// MARK: Outputs

@c @implementation public func TRITONBACKEND_ResponseOutput(
    _ response: OpaquePointer?, _ output: UnsafeMutablePointer<OpaquePointer?>?, _ name: UnsafePointer<CChar>?,
    _ datatype: TRITONSERVER_DataType, _ shape: UnsafePointer<Int64>?, _ dims_count: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let response = try TritonInterface.response(response)
        let place = try place(output, "output")
        let name = try text(name, "name")
        guard let type = ElementType(datatype) else {
            throw HalcyonError(.invalidArgument, "output '\(name)': there is no data type \(datatype.rawValue)")
        }
        guard shape != nil || dims_count == 0, dims_count < 1 << 10 else {
            throw HalcyonError(.invalidArgument, "output '\(name)': 'shape' is NULL, expected \(dims_count) sizes")
        }
        let object = try OutputObject(
            name, name: response.model.text(name), type,
            shape: UnsafeBufferPointer(start: shape, count: Int(dims_count)), of: response)
        try response.add(object)
        place.pointee = object.handle
    }
}

/// Memory for an output or a state: where the processor reads it, unless the request's caller has put it elsewhere.
func giveBuffer(
    of tensor: OutputObject, _ buffer: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ byteSize: UInt64,
    _ type: UnsafeMutablePointer<TRITONSERVER_MemoryType>?, _ id: UnsafeMutablePointer<Int64>?
) throws(HalcyonError) {
    let place = try place(buffer, "buffer")
    guard let byteCount = Int(exactly: byteSize), byteCount < 1 << 46 else {
        throw HalcyonError(.invalidArgument, "'\(tensor.nameText)' can't have \(byteSize) bytes")
    }
    // What the backend would like stands where it is told what it has got.
    let wanted = type.flatMap { try? MemoryPlacement($0.pointee, id?.pointee ?? 0) } ?? .cpu
    let storage = try tensor.buffer(byteCount: byteCount, in: wanted)
    place.pointee = storage.baseAddress
    type?.pointee = storage.placement.triton.type
    id?.pointee = storage.placement.triton.id
}

@c @implementation public func TRITONBACKEND_OutputBuffer(
    _ output: OpaquePointer?, _ buffer: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ buffer_byte_size: UInt64,
    _ memory_type: UnsafeMutablePointer<TRITONSERVER_MemoryType>?, _ memory_type_id: UnsafeMutablePointer<Int64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(output, as: OutputObject.self, "output")
        try giveBuffer(of: object, buffer, buffer_byte_size, memory_type, memory_type_id)
    }
}

@c @implementation public func TRITONBACKEND_OutputBufferAttributes(
    _ output: OpaquePointer?, _ buffer_attributes: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(output, as: OutputObject.self, "output")
        try place(buffer_attributes, "buffer_attributes").pointee = try object.attributesHandle()
    }
}

/// What is told of an output of a response.
private struct OutputFacts {
    var name: UnsafePointer<CChar>
    var type: ElementType
    var dimensions: UnsafePointer<Int64>?
    var rank: Int
}

/// The outputs of a response that a backend makes; or of one that a program was given, for which programs use these
/// functions too.
private func outputs(_ pointer: OpaquePointer?) throws(HalcyonError) -> [OutputFacts] {
    do throws(HalcyonError) {
        return try TritonInterface.response(pointer).outputs.map {
            OutputFacts(
                name: $0.name.pointer, type: $0.elementType, dimensions: UnsafePointer($0.shape.baseAddress),
                rank: $0.shape.count)
        }
    } catch {
        guard let given = try? Handles.object(pointer, as: InferenceResponseObject.self, "response") else {
            throw error
        }
        return given.outputs.map {
            OutputFacts(
                name: $0.nameText.pointer, type: $0.type, dimensions: UnsafePointer($0.dimensions), rank: $0.rank)
        }
    }
}

@c @implementation public func TRITONBACKEND_InferenceResponseOutputByName(
    _ response: OpaquePointer?, _ name: UnsafePointer<CChar>?,
    _ datatype: UnsafeMutablePointer<TRITONSERVER_DataType>?, _ shape: UnsafeMutablePointer<UnsafePointer<Int64>?>?,
    _ dim_count: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        guard let output = try outputs(response).first(where: { String(cString: $0.name) == name }) else {
            throw HalcyonError(.notFound, "the response has no output '\(name)'")
        }
        try place(datatype, "datatype").pointee = output.type.triton
        try place(shape, "shape").pointee = output.dimensions
        try place(dim_count, "dim_count").pointee = UInt64(output.rank)
    }
}

@c @implementation public func TRITONBACKEND_InferenceResponseOutput(
    _ response: OpaquePointer?, _ index: UInt32, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ datatype: UnsafeMutablePointer<TRITONSERVER_DataType>?, _ shape: UnsafeMutablePointer<UnsafePointer<Int64>?>?,
    _ dim_count: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let outputs = try outputs(response)
        guard outputs.indices.contains(Int(index)) else {
            throw HalcyonError(
                .invalidArgument, "there is no output number \(index): the response has \(outputs.count)")
        }
        let output = outputs[Int(index)]
        try place(name, "name").pointee = output.name
        try place(datatype, "datatype").pointee = output.type.triton
        try place(shape, "shape").pointee = output.dimensions
        try place(dim_count, "dim_count").pointee = UInt64(output.rank)
    }
}
