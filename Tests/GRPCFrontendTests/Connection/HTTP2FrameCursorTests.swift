import NIOCore
import Testing

@testable import GRPCFrontend

@Suite("HTTP/2 frame cursor")
struct HTTP2FrameCursorTests {
    private func frame(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(payload.count), type, 0, 0, 0, 0, 0] + payload
    }

    private func hasSeenError(_ bytes: [UInt8], pieces: Int) -> Bool {
        var cursor = HTTP2FrameCursor()
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            cursor.take(ByteBuffer(bytes: bytes[start..<min(start + pieces, bytes.count)]))
        }
        return cursor.hasSeenError
    }

    @Test("A GOAWAY with an error is seen wherever the pieces are cut", arguments: [1, 2, 8, 9, 10, 13, 17, 100])
    func errors(size: Int) {
        let error = frame(4, []) + frame(0, [1, 2, 3]) + frame(7, [0, 0, 0, 1, 0, 0, 0, 11] + Array("reason".utf8))
        #expect(hasSeenError(error, pieces: size))
        #expect(hasSeenError(error + frame(0, [1, 2]), pieces: size))
        let gentle = frame(7, [0x7F, 255, 255, 255, 0, 0, 0, 0]) + frame(7, [0, 0, 0, 1, 0, 0, 0, 0, 1, 1])
        #expect(!hasSeenError(gentle, pieces: size))
        #expect(hasSeenError(gentle + error, pieces: size))
    }

    @Test("What a message holds is not taken for frames", arguments: [1, 5, 9, 100])
    func payloads(size: Int) {
        let error = frame(7, [0, 0, 0, 1, 0, 0, 0, 11])
        #expect(!hasSeenError(frame(0, error) + frame(0, error), pieces: size))
    }
}
