import Tensors
import Testing

@Suite("Shapes")
struct ShapeTests {
    @Test("Elements and bytes are products", arguments: zip([[2, 3, 4], [], [5, 0, 7]], [24, 1, 0]))
    func counts(dimensions: [Int], count: Int) throws {
        let shape = TensorShape(dimensions)
        #expect(try shape.elementCount() == count)
        #expect(try shape.byteCount(of: .fp32) == 4 * count)
    }

    @Test(
        "What does not fit into 64 bits is an error, also beside a 0", arguments: [[1 << 62, 16], [0, 1 << 62, 16]])
    func overflow(dimensions: [Int]) {
        let error = #expect(throws: HalcyonError.self) { try TensorShape(dimensions).elementCount() }
        #expect(error?.code == .invalidArgument)
    }

    @Test("Bytes overflow where elements just fit")
    func byteOverflow() throws {
        let shape: TensorShape = [1 << 61]
        #expect(try shape.elementCount() == 1 << 61)
        #expect(throws: HalcyonError.self) { try shape.byteCount(of: .fp64) }
    }

    @Test("Negative dimensions and text have no size")
    func noSize() {
        #expect(throws: HalcyonError.self) { try TensorShape([-1, 3]).elementCount() }
        #expect(throws: HalcyonError.self) { try TensorShape([1]).byteCount(of: .bytes) }
    }

    @Test("A specification accepts any size where it says -1")
    func accepts() {
        let specification: TensorShape = [-1, 16]
        #expect(specification.accepts([3, 16]))
        #expect(!specification.accepts([3, 15]))
        #expect(!specification.accepts([3, 16, 1]))
        #expect(specification.description == "[-1,16]")
        #expect(specification.prepending(2) == [2, -1, 16])
    }
}
