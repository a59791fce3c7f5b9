/// The type of a tensor's elements.
///
/// The names are those of the KServe v2 protocol (`FP32`) and of a model configuration (`TYPE_FP32`; text is
/// `BYTES` in the one and `TYPE_STRING` in the other).
public enum ElementType: String, Hashable, Sendable, CaseIterable {
    /// One byte: 0 for no, 1 for yes.
    case bool = "BOOL"
    /// Whole numbers from 0, 8 bits.
    case uint8 = "UINT8"
    /// Whole numbers from 0, 16 bits.
    case uint16 = "UINT16"
    /// Whole numbers from 0, 32 bits.
    case uint32 = "UINT32"
    /// Whole numbers from 0, 64 bits.
    case uint64 = "UINT64"
    /// Whole numbers, 8 bits, two's complement.
    case int8 = "INT8"
    /// Whole numbers, 16 bits, two's complement.
    case int16 = "INT16"
    /// Whole numbers, 32 bits, two's complement.
    case int32 = "INT32"
    /// Whole numbers, 64 bits, two's complement.
    case int64 = "INT64"
    /// 16-bit floating point, IEEE 754.
    case fp16 = "FP16"
    /// 32-bit floating point, IEEE 754.
    case fp32 = "FP32"
    /// 64-bit floating point, IEEE 754.
    case fp64 = "FP64"
    /// Texts or other bytes, each with its length in 4 bytes, the lowest first, in front of it.
    case bytes = "BYTES"
    /// The upper 16 bits of a 32-bit floating-point number.
    case bf16 = "BF16"

    /// Bytes of one element; `nil` for `bytes`, whose elements carry a length each.
    public var byteSize: Int? {
        switch self {
        case .bool, .uint8, .int8: 1
        case .uint16, .int16, .fp16, .bf16: 2
        case .uint32, .int32, .fp32: 4
        case .uint64, .int64, .fp64: 8
        case .bytes: nil
        }
    }

    /// The name that a model configuration uses, `TYPE_FP32` for instance.
    public var configurationName: String { self == .bytes ? "TYPE_STRING" : "TYPE_" + rawValue }

    /// The type with that name in a model configuration, or `nil` where there is none.
    public init?(configurationName: String) {
        guard let type = Self.allCases.first(where: { $0.configurationName == configurationName }) else { return nil }
        self = type
    }
}
