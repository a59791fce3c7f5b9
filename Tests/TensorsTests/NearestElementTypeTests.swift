import Testing

@testable import Tensors

@Suite struct NearestElementTypeTests {
    @Test(arguments: [
        ("fp32", ElementType.fp32), ("TYPE_FP32", .fp32), ("float32", .fp32), ("np.float32", .fp32),
        ("torch.half", .fp16),
        ("FLOAT16", .fp16), ("bfloat16", .bf16), ("TYPE_STRING", .bytes), ("string", .bytes), ("double", .fp64),
        ("Int64", .int64), ("int", .int32), ("long", .int64), ("boolean", .bool), ("DT_UINT8", .uint8),
    ])
    func isFound(name: String, type: ElementType) {
        #expect(ElementType(nearest: name) == type)
        #expect(ElementType.advice(for: name) == "; did you mean '\(type.rawValue)'?")
    }

    @Test func isNotGuessed() {
        #expect(ElementType(nearest: "INT33") == nil)
        #expect(ElementType.advice(for: "INT33").hasPrefix("; the types are BOOL, UINT8"))
    }
}
