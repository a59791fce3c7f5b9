public import CTriton
package import ModelRuntime

/// A named value that C programs hold: a label of a metric, or what a model is to be loaded with.
package final class ParameterObject: TritonObject, @unchecked Sendable {
    package enum Value: Sendable {
        case plain(InferenceParameter.Value)
        /// The caller's memory.
        case bytes(UInt, count: Int)
    }

    package override class var kind: HandleKind { .parameter }
    package let name: String
    package let value: Value

    init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }

    /// As text, where it is one.
    package var string: String? {
        if case .plain(.string(let text)) = value { text } else { nil }
    }
}

@c @implementation public func TRITONSERVER_ParameterNew(
    _ name: UnsafePointer<CChar>?, _ type: TRITONSERVER_ParameterType, _ value: UnsafeRawPointer?
) -> OpaquePointer? {
    guard let name, let value else { return nil }
    let plain: InferenceParameter.Value
    switch type {
    case TRITONSERVER_PARAMETER_STRING:
        plain = .string(String(cString: value.assumingMemoryBound(to: CChar.self)))
    case TRITONSERVER_PARAMETER_INT: plain = .integer(value.loadUnaligned(as: Int64.self))
    case TRITONSERVER_PARAMETER_BOOL: plain = .bool(value.loadUnaligned(as: UInt8.self) != 0)
    case TRITONSERVER_PARAMETER_DOUBLE: plain = .number(value.loadUnaligned(as: Double.self))
    default: return nil
    }
    return try? Handles.give(ParameterObject(String(cString: name), .plain(plain)))
}

@c @implementation public func TRITONSERVER_ParameterBytesNew(
    _ name: UnsafePointer<CChar>?, _ byte_ptr: UnsafeRawPointer?, _ size: UInt64
) -> OpaquePointer? {
    guard let name, let count = Int(exactly: size), byte_ptr != nil || count == 0 else { return nil }
    return try? Handles.give(
        ParameterObject(String(cString: name), .bytes(UInt(bitPattern: byte_ptr), count: count)))
}

@c @implementation public func TRITONSERVER_ParameterDelete(_ parameter: OpaquePointer?) {
    _ = try? Handles.take(parameter, as: ParameterObject.self, "parameter")
}
