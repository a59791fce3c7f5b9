import KServeProtocol
import NIOCore
import Tensors
import Testing
import Transport

@testable import GRPCFrontend

@Suite("gRPC framing")
struct GRPCFramingTests {
    /// The messages in a stream of bytes that comes in pieces of a size.
    private func messages(_ bytes: [UInt8], pieces: Int, limit: Int = 100) throws -> [[UInt8]] {
        var decoder = GRPCMessageDecoder(limit: limit, budget: ByteBudget(maximum: 1 << 20))
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            var chunk = ByteBuffer(bytes: bytes[start..<min(start + pieces, bytes.count)])
            while let message = try decoder.next(&chunk) { found.append(message.bytes.withUnsafeBytes { Array($0) }) }
            #expect(chunk.readableBytes == 0)
        }
        let isComplete = decoder.isBetweenMessages
        #expect(isComplete)
        return found
    }

    @Test("Messages are found wherever the pieces are cut", arguments: [1, 2, 3, 5, 6, 7, 100])
    func pieces(size: Int) throws {
        let bytes: [UInt8] = [0, 0, 0, 0, 2, 7, 8] + [0, 0, 0, 0, 0] + [0, 0, 0, 0, 1, 9]
        #expect(try messages(bytes, pieces: size) == [[7, 8], [], [9]])
    }

    @Test("A message over the limit is refused by its length, before it comes")
    func limit() {
        #expect(
            throws: GRPCStatus(.resourceExhausted, "the message of 101 bytes is over grpc-max-message-size, 100")
        ) {
            _ = try messages([0, 0, 0, 0, 101], pieces: 5)
        }
        #expect(throws: GRPCStatus.self) { _ = try messages([2, 0, 0, 0, 0], pieces: 5) }
    }

    @Test(
        "Timeouts",
        arguments: [
            ("1n", 1), ("2u", 2000), ("3m", 3_000_000), ("4S", 4_000_000_000), ("1M", 60_000_000_000),
            ("99999999H", Int64.max), ("", nil), ("5", nil), ("m", nil), ("-1m", nil), ("123456789m", nil), ("1x", nil),
        ] as [(String, Int64?)])
    func timeouts(text: String, nanoseconds: Int64?) {
        #expect(GRPCTimeout.nanoseconds(text) == nanoseconds)
    }

    @Test("A status message is percent-encoded where it is not printable ASCII")
    func statusMessages() {
        #expect(GRPCStatus(.internal, "plain text").encodedMessage == "plain text")
        #expect(GRPCStatus(.internal, "50% é\n").encodedMessage == "50%25 %C3%A9%0A")
    }

    @Test("Every method has a path, and only reflection is open to all")
    func methods() {
        for method in GRPCMethod.Inference.allCases {
            let path = "/inference.GRPCInferenceService/\(method.rawValue)"
            #expect(GRPCMethod(path: path) == .inference(method))
            #expect(GRPCMethod(path: path)?.group != nil)
        }
        #expect(GRPCMethod(path: "/grpc.health.v1.Health/Check")?.group == .health)
        #expect(GRPCMethod(path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")?.group == nil)
        #expect(GRPCMethod(path: "/inference.GRPCInferenceService/Nothing") == nil)
    }

    @Test("Only messages with tensors or files may be long")
    func messageLimits() {
        #expect(GRPCMethod.inference(.modelInfer).messageLimit(most: 1 << 30) == 1 << 30)
        #expect(GRPCMethod.inference(.modelStreamInfer).messageLimit(most: 100) == 100)
        #expect(GRPCMethod.inference(.repositoryModelLoad).messageLimit(most: 1 << 30) == 1 << 30)
        #expect(GRPCMethod.inference(.serverLive).messageLimit(most: 1 << 30) == 1 << 20)
        #expect(GRPCMethod.healthCheck.messageLimit(most: 1 << 30) == 1 << 20)
    }
}
