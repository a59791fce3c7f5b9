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
}
