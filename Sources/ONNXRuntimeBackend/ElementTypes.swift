internal import COnnxRuntime
internal import Tensors

extension ElementType {
    /// The engine's number for this type.
    var onnxNumber: onnxruntime_element_type_t {
        switch self {
        case .fp32: 1
        case .uint8: 2
        case .int8: 3
        case .uint16: 4
        case .int16: 5
        case .int32: 6
        case .int64: 7
        case .bytes: 8
        case .bool: 9
        case .fp16: 10
        case .fp64: 11
        case .uint32: 12
        case .uint64: 13
        case .bf16: 16
        }
    }

    init?(onnxNumber number: onnxruntime_element_type_t) {
        guard let type = Self.allCases.first(where: { $0.onnxNumber == number }) else { return nil }
        self = type
    }

    /// The engine's name for a type that Halcyon has no counterpart of, for an error text.
    static func onnxName(_ number: onnxruntime_element_type_t) -> String {
        let names: [onnxruntime_element_type_t: String] = [
            0: "undefined", 14: "complex64", 15: "complex128", 17: "float8e4m3fn", 18: "float8e4m3fnuz",
            19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4e2m1",
        ]
        return names[number] ?? "number \(number)"
    }
}
