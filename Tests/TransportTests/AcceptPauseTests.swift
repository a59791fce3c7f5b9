import Glibc
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

@Suite("Accept pause")
struct AcceptPauseTests {
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = any Channel
        var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    private let reads = Reads()
    private let counters = ConnectionCounters()
    private let channel = EmbeddedChannel()
    private let exhausted = IOError(errnoCode: EMFILE, reason: "accept")

    init() throws {
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try channel.pipeline.syncOperations.addHandler(reads)
        try channel.pipeline.syncOperations.addHandler(
            AcceptPause(log: log, counters: counters, rest: .milliseconds(200)))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        reads.count = 0
    }

    private func fail() { channel.pipeline.fireErrorCaught(exhausted) }

    private func advance(_ milliseconds: Int64) {
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(milliseconds))
    }

    private func accept() throws -> EmbeddedChannel {
        let accepted = EmbeddedChannel(handlers: [], loop: channel.embeddedEventLoop)
        try accepted.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 2)).wait()
        channel.pipeline.fireChannelRead(accepted as any Channel)
        channel.embeddedEventLoop.run()
        return accepted
    }

    @Test("Nothing is accepted during a rest, and then something is again")
    func rest() throws {
        fail()
        channel.read()
        advance(199)
        #expect(reads.count == 0)
        advance(1)
        #expect(reads.count == 1)
        let accepted = try accept()
        #expect(accepted.isActive)
        #expect(counters.pauseCount == 1)
        #expect(counters.refusedCount == 0)
    }

    @Test("Where a rest did not help, one connection is taken in and closed")
    func shedding() throws {
        fail()
        channel.read()
        advance(200)
        fail()
        channel.read()
        #expect(reads.count == 2)
        let shed = try accept()
        #expect(!shed.isActive)
        #expect(counters.refusedCount == 1)
        channel.read()
        #expect(reads.count == 2)
        advance(200)
        #expect(reads.count == 3)
        let kept = try accept()
        #expect(kept.isActive)
    }

    @Test("Other errors are handed on")
    func otherErrors() {
        channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNABORTED, reason: "accept"))
        #expect(throws: IOError.self) { try channel.throwIfErrorCaught() }
        channel.read()
        #expect(reads.count == 1)
    }
}
