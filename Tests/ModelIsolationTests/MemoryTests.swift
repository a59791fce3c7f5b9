import CPlatform
import Glibc
import Tensors
import Testing

@testable import ModelIsolation

@Suite("Memory that a server and a worker share")
struct MemoryTests {
    @Test("Memory is taken only if its size is fixed and what was said")
    func sealing() throws {
        let made = try SharedSegment.make(byteCount: 100)
        #expect(made.byteCount >= 100 && made.byteCount % 4096 == 0)
        let taken = try SharedSegment.taken(dup(made.descriptor), byteCount: made.byteCount)
        made.start.storeBytes(of: 42, as: UInt8.self)
        #expect(taken.start.load(as: UInt8.self) == 42)
        #expect(throws: ProtocolFault.self) {
            _ = try SharedSegment.taken(dup(made.descriptor), byteCount: made.byteCount + 4096)
        }
        let unsealed = halcyon_memory_make(4096)
        #expect(unsealed >= 0)
        #expect(throws: ProtocolFault.self) { _ = try SharedSegment.taken(unsealed, byteCount: 4096) }
        let file = open("/dev/zero", O_RDONLY | O_CLOEXEC)
        #expect(throws: ProtocolFault.self) { _ = try SharedSegment.taken(file, byteCount: 4096) }
    }

    @Test("Who takes memory can't write to it")
    func reading() throws {
        let made = try SharedSegment.make(byteCount: 4096)
        #expect(halcyon_memory_map(made.descriptor, 4096, true) == nil)
    }

    @Test("A worker is told of memory once, and of its end")
    func inputs() throws {
        let memory = InputMemory()
        var storage: TensorStorage? = try memory.storage(byteCount: 10_000, in: .cpu)
        let slice = try TensorBuffer(try #require(storage)).slice(offset: 64, byteCount: 10)
        let piece = try #require(memory.piece(of: slice))
        #expect(memory.enroll([piece], for: 1).new.map(\.number) == [piece.number])
        #expect(memory.enroll([piece], for: 1).new.isEmpty)
        #expect(memory.enroll([piece], for: 2).new.count == 1)
        storage = nil
        #expect(memory.count == 1)
        withExtendedLifetime(slice) {}
    }

    @Test("What nobody refers to is gone, and its workers hear of it")
    func forgetting() throws {
        let memory = InputMemory()
        let number: UInt64
        do {
            let storage = try memory.storage(byteCount: 10_000, in: .cpu)
            let piece = try #require(memory.piece(of: TensorBuffer(storage)))
            number = piece.number
            _ = memory.enroll([piece], for: 1)
        }
        #expect(memory.count == 0)
        #expect(memory.enroll([], for: 1).gone == [number])
        #expect(memory.enroll([], for: 1).gone.isEmpty)
    }

    @Test("A worker's outputs go into a free piece, a new one, or with the message")
    func outputPool() {
        var pool = OutputPool<Int>(byteLimit: 100)
        guard case .make(1, []) = pool.choose(40) else { return #expect(Bool(false), "the first is made") }
        pool.made(1, byteCount: 40, 1)
        guard case .make(2, []) = pool.choose(40) else { return #expect(Bool(false), "the first is lent") }
        pool.made(2, byteCount: 40, 2)
        // Both are lent, and a third would be too much.
        guard case .none = pool.choose(40) else { return #expect(Bool(false), "the limit is kept") }
        pool.released([1])
        guard case .reuse(let piece) = pool.choose(30), piece.number == 1 else {
            return #expect(Bool(false), "what is free is used")
        }
        pool.released([1, 2])
        // Neither is large enough, and one has to go for it.
        guard case .make(3, let dropped) = pool.choose(60) else { return #expect(Bool(false), "one makes room") }
        #expect(dropped == [1])
    }

    @Test("A worker's word about its outputs is checked")
    func outputLedger() throws {
        var ledger = OutputLedger<Int>(byteLimit: 100, countLimit: 2)
        let first = WireSegment(number: 1, byteCount: 60)
        try ledger.check(first)
        ledger.admit(first, 1)
        for segment in [
            WireSegment(number: 2, byteCount: 41), WireSegment(number: 2, byteCount: 0),
            WireSegment(number: 2, byteCount: -1), WireSegment(number: 1, byteCount: 10),
        ] {
            #expect(throws: ProtocolFault.self) { try ledger.check(segment) }
        }
        #expect(try ledger.lend(1) == 1)
        // What is read may be neither written nor taken away.
        #expect(throws: ProtocolFault.self) { _ = try ledger.lend(1) }
        #expect(throws: ProtocolFault.self) { try ledger.drop(1) }
        #expect(throws: ProtocolFault.self) { _ = try ledger.lend(7) }
        ledger.giveBack(1)
        try ledger.drop(1)
        #expect(ledger.count == 0)
        #expect(throws: ProtocolFault.self) { try ledger.drop(1) }
        for number: UInt64 in [1, 2] { ledger.admit(WireSegment(number: number, byteCount: 10), 0) }
        #expect(throws: ProtocolFault.self) { try ledger.check(WireSegment(number: 3, byteCount: 10)) }
    }
}
