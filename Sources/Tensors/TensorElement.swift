/// A Swift type that is the element of a tensor.
public protocol TensorElement: BitwiseCopyable, Sendable {
    /// The type that tensors of such elements have.
    static var elementType: ElementType { get }
}

extension UInt8: TensorElement {
    /// `UINT8`.
    public static var elementType: ElementType { .uint8 }
}

extension UInt16: TensorElement {
    /// `UINT16`.
    public static var elementType: ElementType { .uint16 }
}

extension UInt32: TensorElement {
    /// `UINT32`.
    public static var elementType: ElementType { .uint32 }
}

extension UInt64: TensorElement {
    /// `UINT64`.
    public static var elementType: ElementType { .uint64 }
}

extension Int8: TensorElement {
    /// `INT8`.
    public static var elementType: ElementType { .int8 }
}

extension Int16: TensorElement {
    /// `INT16`.
    public static var elementType: ElementType { .int16 }
}

extension Int32: TensorElement {
    /// `INT32`.
    public static var elementType: ElementType { .int32 }
}

extension Int64: TensorElement {
    /// `INT64`.
    public static var elementType: ElementType { .int64 }
}

extension Float: TensorElement {
    /// `FP32`.
    public static var elementType: ElementType { .fp32 }
}

extension Double: TensorElement {
    /// `FP64`.
    public static var elementType: ElementType { .fp64 }
}
