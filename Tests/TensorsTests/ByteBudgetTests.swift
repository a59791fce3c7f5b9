import Tensors
import Testing

@Suite("Byte budget")
struct ByteBudgetTests {
    @Test("What is taken comes back, and what is too much now is another thing than what always is")
    func taking() throws {
        let budget = ByteBudget(maximum: 100)
        try budget.take(60)
        let later = #expect(throws: HalcyonError.self) { try budget.take(50) }
        #expect(later?.code == .unavailable)
        #expect(later.map(ByteBudget.isRefusal) == true)
        let never = #expect(throws: HalcyonError.self) { try budget.take(101) }
        #expect(never?.code == .invalidArgument)
        #expect(never.map(ByteBudget.isRefusal) == false)
        #expect(budget.usedBytes == 60)
        budget.giveBack(60)
        try budget.take(100)
    }

    @Test("Memory counts for as long as somebody refers to it")
    func memory() throws {
        let budget = ByteBudget(maximum: 100)
        var buffer: TensorBuffer? = TensorBuffer(try budget.allocate(byteCount: 80))
        #expect(throws: HalcyonError.self) { try budget.charge(30) }
        #expect(buffer?.byteCount == 80)
        buffer = nil
        #expect(budget.usedBytes == 0)
        do {
            let charge = try budget.charge(100)
            #expect(budget.usedBytes == charge.count)
        }
        #expect(budget.usedBytes == 0)
    }

    @Test("Nothing is too much for an unlimited one")
    func unlimited() throws {
        let charge = try ByteBudget.unlimited.charge(Int.max / 4)
        #expect(charge.count == Int.max / 4)
    }

    @Test("Bytes that grow past whole pages stay as they were, well aligned, and are counted as they come")
    func growing() throws {
        let budget = ByteBudget(maximum: 4 << 20)
        var collector = BodyCollector(
            expected: nil, alignedOffset: 10, limit: 4 << 20, limitName: "limit", budget: budget)
        let piece = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        for _ in 0..<30 { try piece.withUnsafeBytes { try collector.append($0) } }
        #expect(budget.usedBytes >= 3_000_000)
        let body = collector.finish()
        #expect(Int(bitPattern: body.baseAddress + 10) % TensorStorage.alignment == 0)
        #expect(
            body.withUnsafeBytes { bytes in
                (0..<30).allSatisfy { bytes[$0 * 100_000..<($0 + 1) * 100_000].elementsEqual(piece) }
            })
    }

    @Test("A text that is too long keeps its beginning and says how long it is")
    func shortened() {
        #expect("short".shortened(to: 5) == "short")
        #expect("longer".shortened(to: 4) == "long... (6 bytes in all)")
        #expect("aé".shortened(to: 2) == "a... (3 bytes in all)")
    }
}
