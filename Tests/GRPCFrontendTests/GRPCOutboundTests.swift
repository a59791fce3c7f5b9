import KServeProtocol
import NIOCore
import Tensors
import Testing
import Transport

@testable import GRPCFrontend

@Suite("gRPC messages on their way out")
struct GRPCOutboundTests {
    private func bytes(_ outbound: inout GRPCOutbound) -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = outbound.next(ByteBufferAllocator()) {
            bytes += piece.bytes.readableBytesView
            piece.whenSent?()
        }
        return bytes
    }

    @Test("A message goes out behind its length, the next behind it")
    func framing() throws {
        var outbound = GRPCOutbound()
        for message in [[7, 8], [], [9]] as [[UInt8]] {
            outbound.add(try GRPCFrame(.init(message), nil), isWatched: false, whenSent: nil)
        }
        #expect(bytes(&outbound) == [0, 0, 0, 0, 2, 7, 8] + [0, 0, 0, 0, 0] + [0, 0, 0, 0, 1, 9])
        #expect(outbound.isEmpty)
    }

    @Test("A long message goes out in pieces, and is sent with the last")
    func pieces() throws {
        var outbound = GRPCOutbound()
        outbound.add(try GRPCFrame(.init([UInt8](repeating: 1, count: 300_000)), nil), isWatched: true) {}
        var sent: [Bool] = []
        while let piece = outbound.next(ByteBufferAllocator()) { sent.append(piece.whenSent != nil) }
        #expect(sent == [false, false, false, false, true])
    }

    @Test("Short messages that wait go out together, and each is told when it has been sent")
    func together() throws {
        var outbound = GRPCOutbound()
        nonisolated(unsafe) var sent: [UInt8] = []
        for number in UInt8(0)..<5 {
            let notice: @Sendable () -> Void = { sent.append(number) }
            outbound.add(
                try GRPCFrame(.init([number]), nil), isWatched: false, whenSent: number == 2 ? nil : notice)
        }
        outbound.add(try GRPCFrame(.init([UInt8](repeating: 9, count: 65_520)), nil), isWatched: false, whenSent: nil)
        outbound.add(try GRPCFrame(.init([UInt8](repeating: 9, count: 100)), nil), isWatched: true, whenSent: nil)
        var piece = outbound.next(ByteBufferAllocator())
        let first = try #require(piece)
        #expect(Array(first.bytes.readableBytesView) == (UInt8(0)..<5).flatMap { [0, 0, 0, 0, 1, $0] })
        first.whenSent?()
        #expect(sent == [0, 1, 3, 4])
        // What has no room behind others has a piece of its own, and what is watched is not mixed with what is not.
        piece = outbound.next(ByteBufferAllocator())
        #expect(piece?.bytes.readableBytes == 65_525)
        piece = outbound.next(ByteBufferAllocator())
        let last = try #require(piece)
        #expect(last.isWatched && last.bytes.readableBytes == 105)
        #expect(outbound.isEmpty)
    }

    @Test("What is dropped is told")
    func dropping() throws {
        var outbound = GRPCOutbound()
        let budget = ByteBudget(maximum: 10)
        let charge = try budget.charge(10)
        outbound.add(try GRPCFrame(.init([1]), nil), isWatched: false) { withExtendedLifetime(charge) {} }
        outbound.drop()
        #expect(outbound.isEmpty)
    }

    @Test("A compressed message says so and comes back as it was")
    func compression() throws {
        let text = [UInt8](repeating: 65, count: 1000)
        let compression = try #require(GRPCCompression("deflate, gzip", level: 1))
        var outbound = GRPCOutbound()
        outbound.add(try GRPCFrame(.init(text), compression), isWatched: false, whenSent: nil)
        let sent = bytes(&outbound)
        #expect(sent[0] == 1 && sent.count < 100)
        let plain = try Array(sent.dropFirst(5)).withUnsafeBytes {
            try compression.encoding.decompress($0, limit: 1000, limitName: "limit", budget: .unlimited)
        }
        #expect(plain.withUnsafeBytes { Array($0) } == text)
        #expect(GRPCCompression("identity", level: 1) == nil && GRPCCompression("gzip", level: 0) == nil)
    }

    @Test("A message over the budget is refused by its length, and one that finds no room by what there is")
    func budget() throws {
        var decoder = GRPCMessageDecoder(limit: 1 << 20, budget: ByteBudget(maximum: 100))
        var chunk = ByteBuffer(bytes: [0, 0, 0, 0, 101])
        do {
            _ = try decoder.next(&chunk)
            Issue.record("it was taken")
        } catch { #expect(error.code == .resourceExhausted) }
        let budget = ByteBudget(maximum: 100)
        let charge = try budget.charge(90)
        var busy = GRPCMessageDecoder(limit: 1 << 20, budget: budget)
        chunk = ByteBuffer(bytes: [0, 0, 0, 0, 20] + [UInt8](repeating: 0, count: 20))
        do {
            _ = try busy.next(&chunk)
            Issue.record("it was taken")
        } catch { #expect(error.code == .resourceExhausted) }
        withExtendedLifetime(charge) {}
    }
}
