extension ElementType {
    /// The type that is probably meant by a name that is none: another spelling (`fp32`), the name of a model
    /// configuration (`TYPE_FP32`), or that of NumPy, PyTorch, ONNX, C or Java (`float32`, `torch.half`, `string`).
    package init?(nearest name: String) {
        var word = name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }
        for prefix in ["numpy.", "np.", "torch.", "tf.", "onnx.", "tensorproto.", "type", "dt"]
        where word.hasPrefix(prefix) {
            word.removeFirst(prefix.count)
        }
        let others: [String: ElementType] = [
            "boolean": .bool, "i1": .bool, "u8": .uint8, "u16": .uint16, "u32": .uint32, "u64": .uint64, "i8": .int8,
            "i16": .int16, "i32": .int32, "i64": .int64, "f16": .fp16, "f32": .fp32, "f64": .fp64, "byte": .uint8,
            "ubyte": .uint8, "char": .int8, "short": .int16, "int": .int32, "long": .int64, "half": .fp16,
            "float": .fp32,
            "float16": .fp16, "float32": .fp32, "float64": .fp64, "single": .fp32, "double": .fp64, "bfloat16": .bf16,
            "string": .bytes, "str": .bytes, "object": .bytes, "utf8": .bytes, "text": .bytes,
        ]
        if let type = ElementType(rawValue: word.uppercased()) ?? others[word] {
            self = type
        } else {
            return nil
        }
    }

    /// `; did you mean 'FP32'?` for a name that is no type; all types where none is near.
    package static func advice(for name: String) -> String {
        if let type = ElementType(nearest: name) { return "; did you mean '\(type.rawValue)'?" }
        // What is no name at all is not answered with all of them.
        guard name.utf8.count <= 40 else { return "" }
        return "; the types are \(allCases.map(\.rawValue).joined(separator: ", "))"
    }
}
