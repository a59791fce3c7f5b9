internal import COpenVINO
internal import LibraryFiles
internal import Tensors

extension ElementType {
    /// The engine's number for this type; `nil` for text, which its CPU device does not take.
    var openVINONumber: openvino_element_type_t? {
        switch self {
        case .bool: 1
        case .bf16: 2
        case .fp16: 3
        case .fp32: 4
        case .fp64: 5
        case .int8: 7
        case .int16: 8
        case .int32: 9
        case .int64: 10
        case .uint8: 16
        case .uint16: 17
        case .uint32: 18
        case .uint64: 19
        case .bytes: nil
        }
    }

    init?(openVINONumber number: openvino_element_type_t) {
        guard let type = Self.allCases.first(where: { $0.openVINONumber == number }) else { return nil }
        self = type
    }

    /// The engine's name for a type that Halcyon has no counterpart of, for an error text.
    static func openVINOName(_ number: openvino_element_type_t) -> String {
        let names: [openvino_element_type_t: String] = [
            0: "dynamic", 6: "i4", 11: "u1", 12: "u2", 13: "u3", 14: "u4", 15: "u6", 20: "nf4", 21: "f8e4m3",
            22: "f8e5m2", 23: "string", 24: "f4e2m1", 25: "f8e8m0",
        ]
        return names[number] ?? "element type \(number)"
    }
}

extension Library {
    /// Makes sure that the library numbers its element types as this file does: the numbers are not part of what it
    /// promises to keep, and have moved before.
    func checkElementTypes() throws(HalcyonError) {
        for type in ElementType.allCases {
            guard let number = type.openVINONumber, let size = type.byteSize else { continue }
            var dimension: Int64 = 8
            let tensor = try make(free: functions.ov_tensor_free, "OpenVINO has no tensor of \(type.rawValue)") {
                result in
                withUnsafeMutablePointer(to: &dimension) {
                    functions.ov_tensor_create(number, openvino_shape_t(rank: 1, dimensions: $0), result)
                }
            }
            var bytes = 0
            let status = functions.ov_tensor_get_byte_size(tensor.pointer, &bytes)
            guard status == 0, bytes == 8 * size else {
                throw HalcyonError(
                    .unavailable,
                    "the OpenVINO runtime '\(path)' (\(version)) numbers its element types in another way than 2026.4, "
                        + "and can't be used")
            }
        }
    }
}
