import NIOCore
import NIOEmbedded
import Testing

@testable import GRPCFrontend

@Suite("Frames that come in")
struct HTTP2FrameSlicerTests {
    private let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private func frame(_ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), 0, 0, 0, 0, 0, 1] + payload
    }

    @Test("So many frames are taken at a time, in whatever pieces they come", arguments: [1, 4, 9, 13, Int.max])
    func slices(piece: Int) {
        let frames = (0..<10).map { frame([UInt8](repeating: 7, count: $0 * 3)) }
        let all = preface + frames.joined()
        var slicer = HTTP2FrameSlicer()
        var taken: [UInt8] = []
        for start in stride(from: 0, to: all.count, by: min(piece, all.count)) {
            var bytes = ByteBuffer(bytes: all[start..<min(all.count, start + min(piece, all.count))])
            while bytes.readableBytes > 0 {
                let slice = slicer.slice(&bytes, frames: 2)
                #expect(slice.readableBytes > 0)
                taken += slice.readableBytesView
            }
        }
        #expect(taken == all)
        guard piece == .max else { return }
        var bytes = ByteBuffer(bytes: all)
        var other = HTTP2FrameSlicer()
        #expect(other.slice(&bytes, frames: 2).readableBytes == 24 + 9 + 12)
        #expect(other.slice(&bytes, frames: 3).readableBytes == 15 + 18 + 21)
    }

    /// Keeps what comes.
    private final class Sink: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var reads: [Int] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            reads.append(unwrapInboundIn(data).readableBytes)
        }
    }

    /// Counts what is asked for.
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var count = 0

        func read(context: ChannelHandlerContext) { count += 1 }
    }

    @Test("A read full of short frames is handed on bit by bit, and nothing more is read meanwhile")
    func turns() throws {
        let (sink, reads) = (Sink(), Reads())
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([reads, HTTP2WireHandler(), sink])
        let count = HTTP2WireHandler.framesAtATime
        try channel.writeInbound(ByteBuffer(bytes: preface + (0..<2 * count + 1).flatMap { _ in frame([]) }))
        #expect(sink.reads == [24 + 9 * count])
        let before = reads.count
        channel.read()
        #expect(reads.count == before)
        try channel.writeInbound(ByteBuffer(bytes: frame([1])))
        channel.embeddedEventLoop.advanceTime(by: .microseconds(50))
        #expect(sink.reads == [24 + 9 * count, 9 * count])
        #expect(reads.count == before)
        channel.embeddedEventLoop.advanceTime(by: .microseconds(50))
        #expect(sink.reads == [24 + 9 * count, 9 * count, 9 + 10])
        #expect(reads.count == before + 1)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(sink.reads.count == 3)
    }

    @Test("What waits of a connection that has gone is let go of")
    func gone() throws {
        let sink = Sink()
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([HTTP2WireHandler(), sink])
        let count = HTTP2WireHandler.framesAtATime
        try channel.writeInbound(ByteBuffer(bytes: preface + (0..<2 * count).flatMap { _ in frame([]) }))
        channel.pipeline.fireChannelInactive()
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(sink.reads.count == 1)
    }
}
