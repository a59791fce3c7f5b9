public import CTriton
package import Tensors

extension ElementType {
    private static let numbers: [(type: ElementType, number: TRITONSERVER_DataType)] = [
        (.bool, TRITONSERVER_TYPE_BOOL), (.uint8, TRITONSERVER_TYPE_UINT8), (.uint16, TRITONSERVER_TYPE_UINT16),
        (.uint32, TRITONSERVER_TYPE_UINT32), (.uint64, TRITONSERVER_TYPE_UINT64), (.int8, TRITONSERVER_TYPE_INT8),
        (.int16, TRITONSERVER_TYPE_INT16), (.int32, TRITONSERVER_TYPE_INT32), (.int64, TRITONSERVER_TYPE_INT64),
        (.fp16, TRITONSERVER_TYPE_FP16), (.fp32, TRITONSERVER_TYPE_FP32), (.fp64, TRITONSERVER_TYPE_FP64),
        (.bytes, TRITONSERVER_TYPE_BYTES), (.bf16, TRITONSERVER_TYPE_BF16),
    ]

    /// `nil` for a number that is no type.
    package init?(_ number: TRITONSERVER_DataType) {
        guard let known = Self.numbers.first(where: { $0.number == number }) else { return nil }
        self = known.type
    }

    package var triton: TRITONSERVER_DataType {
        switch self {
        case .bool: TRITONSERVER_TYPE_BOOL
        case .uint8: TRITONSERVER_TYPE_UINT8
        case .uint16: TRITONSERVER_TYPE_UINT16
        case .uint32: TRITONSERVER_TYPE_UINT32
        case .uint64: TRITONSERVER_TYPE_UINT64
        case .int8: TRITONSERVER_TYPE_INT8
        case .int16: TRITONSERVER_TYPE_INT16
        case .int32: TRITONSERVER_TYPE_INT32
        case .int64: TRITONSERVER_TYPE_INT64
        case .fp16: TRITONSERVER_TYPE_FP16
        case .fp32: TRITONSERVER_TYPE_FP32
        case .fp64: TRITONSERVER_TYPE_FP64
        case .bytes: TRITONSERVER_TYPE_BYTES
        case .bf16: TRITONSERVER_TYPE_BF16
        }
    }
}

extension MemoryPlacement {
    /// - Throws: `invalidArgument` for a number that is no type of memory.
    package init(_ type: TRITONSERVER_MemoryType, _ id: Int64) throws(HalcyonError) {
        switch type {
        case TRITONSERVER_MEMORY_CPU: self = .cpu
        case TRITONSERVER_MEMORY_CPU_PINNED: self = .pinned
        case TRITONSERVER_MEMORY_GPU: self = .gpu(Int(clamping: id))
        default: throw HalcyonError(.invalidArgument, "there is no type of memory \(type.rawValue), expected 0 to 2")
        }
    }

    package var triton: (type: TRITONSERVER_MemoryType, id: Int64) {
        switch self {
        case .cpu: (TRITONSERVER_MEMORY_CPU, 0)
        case .pinned: (TRITONSERVER_MEMORY_CPU_PINNED, 0)
        case .gpu(let number): (TRITONSERVER_MEMORY_GPU, Int64(number))
        }
    }
}

/// The names of what the interface numbers.
private enum Names {
    static let invalid = CText("<invalid>")
    static let types = ["<invalid>"].map { CText($0) } + typeNames.map { CText($0) }
    private static let typeNames = (1...14).map {
        ElementType(TRITONSERVER_DataType(rawValue: UInt32($0)))?.rawValue ?? "<invalid>"
    }
    static let memory = ["CPU", "CPU_PINNED", "GPU"].map { CText($0) }
    static let parameters = ["STRING", "INT", "BOOL", "DOUBLE", "BYTES"].map { CText($0) }
    static let groups = ["AUTO", "CPU", "GPU", "MODEL"].map { CText($0) }

    static func name(_ names: [CText], _ number: UInt32) -> UnsafePointer<CChar> {
        (names.indices.contains(Int(number)) ? names[Int(number)] : invalid).pointer
    }
}

@c @implementation public func TRITONSERVER_DataTypeString(_ datatype: TRITONSERVER_DataType) -> UnsafePointer<CChar>? {
    Names.name(Names.types, datatype.rawValue)
}

@c @implementation public func TRITONSERVER_StringToDataType(_ dtype: UnsafePointer<CChar>?) -> TRITONSERVER_DataType {
    dtype.flatMap { ElementType(rawValue: String(cString: $0)) }?.triton ?? TRITONSERVER_TYPE_INVALID
}

@c @implementation public func TRITONSERVER_DataTypeByteSize(_ datatype: TRITONSERVER_DataType) -> UInt32 {
    UInt32(ElementType(datatype)?.byteSize ?? 0)
}

@c @implementation public func TRITONSERVER_MemoryTypeString(
    _ memtype: TRITONSERVER_MemoryType
) -> UnsafePointer<CChar>? {
    Names.name(Names.memory, memtype.rawValue)
}

@c @implementation public func TRITONSERVER_ParameterTypeString(
    _ paramtype: TRITONSERVER_ParameterType
) -> UnsafePointer<CChar>? {
    Names.name(Names.parameters, paramtype.rawValue)
}

@c @implementation public func TRITONSERVER_InstanceGroupKindString(
    _ kind: TRITONSERVER_InstanceGroupKind
) -> UnsafePointer<CChar>? {
    Names.name(Names.groups, kind.rawValue)
}

@c @implementation public func TRITONSERVER_ApiVersion(
    _ major: UnsafeMutablePointer<UInt32>?, _ minor: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(major, "major").pointee = UInt32(TRITONSERVER_API_VERSION_MAJOR)
        try place(minor, "minor").pointee = UInt32(TRITONSERVER_API_VERSION_MINOR)
    }
}
