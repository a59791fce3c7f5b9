import NIOCore
import Tensors
import Testing
import Transport

@Suite("Body collector")
struct BodyCollectorTests {
    @Test("The byte where tensors begin is aligned, whatever comes before it", arguments: [0, 1, 63, 64, 150])
    func alignment(offset: Int) throws {
        var collector = BodyCollector(
            expected: 300, alignedOffset: offset, limit: 1000, limitName: "limit", budget: ByteBudget(maximum: 1 << 20))
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        for start in stride(from: 0, to: 300, by: 7) {
            try collector.append(ByteBuffer(bytes: bytes[start..<min(start + 7, 300)]))
        }
        let body = collector.finish()
        #expect(body.withUnsafeBytes { Array($0) } == bytes)
        #expect(Int(bitPattern: body.baseAddress + offset) % TensorStorage.alignment == 0)
    }

    @Test("The limit holds, and the budget is given back when the body goes")
    func budget() throws {
        let budget = ByteBudget(maximum: 2000)
        func collect(_ count: Int) throws -> TensorBuffer {
            var collector = BodyCollector(
                expected: count, alignedOffset: 0, limit: 1500, limitName: "limit", budget: budget)
            try collector.append(ByteBuffer(repeating: 1, count: count))
            return collector.finish()
        }
        #expect(
            throws: HalcyonError(
                .invalidArgument,
                "the request's body exceeds the maximum allowed value of 1500 bytes, which --limit sets")
        ) {
            _ = try collect(1501)
        }
        do {
            let first = try collect(1200)
            #expect(throws: HalcyonError.self) { _ = try collect(1200) }
            withExtendedLifetime(first) {}
        }
        _ = try collect(1500)
        try budget.take(2000)
    }

    // MARK: Memory that is given

    /// One piece of memory, or none.
    private struct Piece: MemoryProvider {
        var storage: TensorStorage?

        func storage(byteCount: Int, in placement: MemoryPlacement) throws(HalcyonError) -> TensorStorage {
            throw HalcyonError(.internal, "not for batches")
        }

        func inputStorage(byteCount: Int) -> TensorStorage? {
            storage.flatMap { $0.byteCount >= byteCount ? $0 : nil }
        }
    }

    private static let large = 300 << 10

    /// A body of as many bytes in pieces, with half a kilobyte before its tensors.
    private func collect(_ count: Int, expected: Int, into storage: TensorStorage?, budget: ByteBudget) throws -> Bool {
        var collector = BodyCollector(
            expected: expected, alignedOffset: 500, limit: 1 << 20, limitName: "limit", budget: budget,
            memory: Piece(storage: storage))
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3) }
        for start in stride(from: 0, to: count, by: 50_000) {
            try collector.append(ByteBuffer(bytes: bytes[start..<min(start + 50_000, count)]))
        }
        let body = collector.finish()
        #expect(body.withUnsafeBytes { Array($0) } == bytes)
        #expect(Int(bitPattern: body.baseAddress + 500) % TensorStorage.alignment == 0)
        return body.storage.baseAddress == storage?.baseAddress
    }

    @Test("A large body of known length is gathered in the memory that is given, and the budget counts it")
    func given() throws {
        let budget = ByteBudget(maximum: Self.large + 1000)
        let storage = TensorStorage.allocate(byteCount: Self.large + 1000)
        #expect(try collect(Self.large, expected: Self.large, into: storage, budget: budget))
        #expect(try collect(Self.large - 7, expected: Self.large, into: storage, budget: budget), "it ended early")
        try budget.take(Self.large + 1000)
        #expect(throws: HalcyonError.self) {
            try collect(Self.large, expected: Self.large, into: storage, budget: budget)
        }
    }

    @Test("Nothing of that memory is held before an eighth of the body has come")
    func announced() throws {
        let storage = TensorStorage.allocate(byteCount: Self.large + 1000)
        for (count, isHeld) in [(0, false), (Self.large / 8 - 1, false), (Self.large / 8, true)] {
            var collector = BodyCollector(
                expected: Self.large, alignedOffset: 0, limit: 1 << 20, limitName: "limit",
                budget: ByteBudget(maximum: 1 << 20), memory: Piece(storage: storage))
            try collector.append(ByteBuffer(repeating: 1, count: count))
            #expect((collector.finish().storage.baseAddress == storage.baseAddress) == isHeld, "\(count)")
        }
    }

    @Test("Without such memory, for small bodies, and where more comes than was announced, it is ordinary memory")
    func ordinary() throws {
        let budget = ByteBudget(maximum: 4 << 20)
        let storage = TensorStorage.allocate(byteCount: 2 << 20)
        #expect(try collect(Self.large, expected: Self.large, into: nil, budget: budget) == false)
        #expect(try collect(60_000, expected: 60_000, into: storage, budget: budget) == false)
        #expect(try collect(Self.large, expected: 270_000, into: storage, budget: budget) == false)
        #expect(!BodyCollector.isWorthMemory(nil) && !BodyCollector.isWorthMemory(64 << 20 + 1))
        try budget.take(4 << 20)
    }
}
