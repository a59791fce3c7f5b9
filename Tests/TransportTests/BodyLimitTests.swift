import NIOCore
import NIOHTTP1
import Tensors
import Testing

@testable import Transport

@Suite("Body limit")
struct BodyLimitTests {
    private func limit(_ uri: String, _ headers: [(String, String)]) -> BodyLimit {
        BodyLimit(
            HTTPRequestHead(version: .http1_1, method: .POST, uri: uri, headers: HTTPHeaders(headers)), maximum: 100,
            budget: 1000)
    }

    @Test("Text, raw and compressed bodies, and bodies of anything but inference, have the smaller limit")
    func texts() {
        let json = ("Inference-Header-Content-Length", "50")
        #expect(limit("/v2/models/m/infer", []).byteCount == 100)
        #expect(limit("/v2/models/m/infer", [("Inference-Header-Content-Length", "0")]).byteCount == 100)
        #expect(limit("/v2/models/m/infer", [json, ("Content-Encoding", "gzip")]).byteCount == 100)
        #expect(limit("/v2/repository/models/m/load", [json]).byteCount == 100)
        #expect(
            limit("/v2/models/m/infer", [("Content-Length", "101")]).obstacle
                == "the request's body of 101 bytes exceeds the maximum allowed value of 100 bytes, which "
                + "--http-max-input-size sets"
        )
    }

    @Test("Tensors behind their JSON have the budget")
    func binaryData() {
        let json = ("Inference-Header-Content-Length", "50")
        #expect(limit("/v2/models/m/infer?x", [json, ("Content-Length", "1000")]).obstacle == nil)
        #expect(limit("/v2/models/m/infer", [json]).name == "max-inflight-bytes")
        #expect(
            limit("/v2/models/m/infer", [json, ("Content-Length", "1001")]).obstacle
                == "the request's body of 1001 bytes exceeds the maximum allowed value of 1000 bytes, which "
                + "--max-inflight-bytes sets"
        )
        #expect(
            limit("/v2/models/m/infer", [("Inference-Header-Content-Length", "101")]).obstacle
                == "the request's JSON of 101 bytes exceeds the maximum allowed value of 100 bytes, which "
                + "--http-max-input-size sets"
        )
    }
}

@Suite("Answers on their way")
struct AnswerPieceTests {
    @Test("Parts come out in pieces, whole and in order", arguments: [1, 2, 3, 7, 100])
    func pieces(size: Int) {
        var parts = ByteParts([
            .bytes([1, 2, 3]), .bytes([]), .buffer(TensorBuffer(copying: [4, 5] as [UInt8])), .bytes([6]),
        ])
        #expect(parts.byteCount == 6)
        var found: [UInt8] = []
        while parts.byteCount > 0 {
            let piece = parts.next(size, ByteBufferAllocator())
            #expect(piece.readableBytes == min(size, 6 - found.count))
            found += piece.readableBytesView
        }
        #expect(found == [1, 2, 3, 4, 5, 6])
        #expect(parts.next(5, ByteBufferAllocator()).readableBytes == 0)
    }

    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("A client that takes nothing has its while")
    func silence() {
        var watch = WriteWatch(patience: 10)
        #expect(watch.deadline == nil)
        watch.gave(1000, at: start)
        watch.gave(1000, at: start + .seconds(9))
        #expect(!watch.isOver(at: start + .seconds(9)))
        #expect(watch.isOver(at: start + .seconds(10)))
        watch.took(2000, at: start + .seconds(9))
        #expect(!watch.isOver(at: start + .seconds(100)))
    }

    @Test("Few bytes give little time, and many no more than the while")
    func slowness() {
        var watch = WriteWatch(patience: 10)
        watch.gave(100 << 20, at: start)
        watch.took(400, at: start + .seconds(8))
        #expect(watch.isOver(at: start + .seconds(11)))
        watch.took(50 << 20, at: start + .seconds(9))
        #expect(watch.deadline == start + .seconds(19))
        for second in 10..<1000 { watch.took(WriteWatch.slowestRate, at: start + .seconds(Int64(second))) }
        #expect(!watch.isOver(at: start + .seconds(1000)))
    }
}
