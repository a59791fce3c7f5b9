public import CTriton
internal import ModelConfigurations
internal import Tensors

@c @implementation public func TRITONBACKEND_StateNew(
    _ state: UnsafeMutablePointer<OpaquePointer?>?, _ request: OpaquePointer?, _ name: UnsafePointer<CChar>?,
    _ datatype: TRITONSERVER_DataType, _ shape: UnsafePointer<Int64>?, _ dims_count: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let request = try TritonInterface.request(request)
        let place = try place(state, "state")
        let name = try text(name, "name")
        let states = request.model.configuration.sequenceBatching?.states ?? []
        guard let declared = states.first(where: { $0.outputName == name }) else {
            throw HalcyonError(
                .invalidArgument,
                "state '\(name)' is not among those of the configuration's sequence_batching: "
                    + (states.isEmpty ? "it has none" : states.map(\.outputName).joined(separator: ", ")))
        }
        guard let type = ElementType(datatype), type == declared.elementType else {
            throw HalcyonError(
                .invalidArgument,
                "state '\(name)' has the type \(declared.elementType.rawValue) in the configuration, got "
                    + (ElementType(datatype)?.rawValue ?? "number \(datatype.rawValue)"))
        }
        guard shape != nil || dims_count == 0, dims_count < 1 << 10 else {
            throw HalcyonError(.invalidArgument, "state '\(name)': 'shape' is NULL, expected \(dims_count) sizes")
        }
        let tensor = try OutputObject(
            name, name: request.model.text(name), type,
            shape: UnsafeBufferPointer(start: shape, count: Int(dims_count)))
        let object = try StateObject(tensor, of: request.source)
        request.add(object)
        place.pointee = object.handle
    }
}

@c @implementation public func TRITONBACKEND_StateUpdate(_ state: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.object(state, as: StateObject.self, "state").update()
    }
}

@c @implementation public func TRITONBACKEND_StateBuffer(
    _ state: OpaquePointer?, _ buffer: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ buffer_byte_size: UInt64,
    _ memory_type: UnsafeMutablePointer<TRITONSERVER_MemoryType>?, _ memory_type_id: UnsafeMutablePointer<Int64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let tensor = try Handles.object(state, as: StateObject.self, "state").tensor
        try giveBuffer(of: tensor, buffer, buffer_byte_size, memory_type, memory_type_id)
    }
}

@c @implementation public func TRITONBACKEND_StateBufferAttributes(
    _ state: OpaquePointer?, _ buffer_attributes: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let tensor = try Handles.object(state, as: StateObject.self, "state").tensor
        try place(buffer_attributes, "buffer_attributes").pointee = try tensor.attributesHandle()
    }
}
