import Synchronization
import Tensors
import Testing

@Suite("Tensors and their bytes")
struct TensorTests {
    @Test("The bytes must be as many as type and shape say")
    func byteCount() {
        let error = #expect(throws: HalcyonError.self) {
            try Tensor(
                name: "A", elementType: .fp32, shape: [2, 2], data: TensorBuffer(copying: [1, 2, 3] as [Float]))
        }
        #expect(error?.message == "tensor 'A': expected 16 bytes for FP32 of shape [2,2], got 12")
    }

    @Test("Elements come back as they went in, and as no other type")
    func elements() throws {
        let tensor = try Tensor(name: "A", shape: [3], [1, -2, 3] as [Int16])
        #expect(try tensor.elements(as: Int16.self) == [1, -2, 3])
        let error = #expect(throws: HalcyonError.self) { try tensor.elements(as: UInt16.self) }
        #expect(error?.message == "tensor 'A' holds INT16, not UINT16")
    }

    @Test("A slice keeps its storage alive, and the storage goes with the last slice")
    func ownership() throws {
        let counter = Counter()
        var slice: TensorBuffer? = try Self.slice(counter)
        #expect(counter.value == 0)
        #expect(slice?.withUnsafeBytes { Array($0) } == [2, 3])
        slice = nil
        #expect(counter.value == 1)
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.wrappingAdd(1, ordering: .relaxed) }
    }

    private static func slice(_ counter: Counter) throws -> TensorBuffer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 1)
        for index in 0..<4 { memory.storeBytes(of: UInt8(index), toByteOffset: index, as: UInt8.self) }
        let storage = TensorStorage(owning: memory, byteCount: 4) {
            counter.add()
            $0.deallocate()
        }
        return try TensorBuffer(storage).slice(offset: 1, byteCount: 3).slice(offset: 1, byteCount: 2)
    }

    @Test(
        "A slice can't reach outside, whatever the numbers", arguments: [(0, 5), (5, 0), (-1, 1), (1, -1), (2, .max)])
    func outside(offset: Int, byteCount: Int) {
        let buffer = TensorBuffer(copying: [1, 2, 3, 4] as [UInt8])
        #expect(throws: HalcyonError.self) { try buffer.slice(offset: offset, byteCount: byteCount) }
    }

    @Test("Type names and sizes are those of the protocol and of the configuration")
    func elementTypes() {
        #expect(ElementType(rawValue: "BF16")?.byteSize == 2)
        #expect(ElementType(configurationName: "TYPE_STRING") == .bytes)
        #expect(ElementType(configurationName: "TYPE_BYTES") == nil)
        for type in ElementType.allCases {
            #expect(ElementType(configurationName: type.configurationName) == type)
        }
    }
}
