import KServeProtocol
import NIOHPACK
import Testing
import Transport

@testable import GRPCFrontend

@Suite("gRPC request head")
struct GRPCRequestHeadTests {
    static func head(
        _ path: String, _ more: [(String, String)] = [], method: String = "POST",
        type: String = "application/grpc+proto", access: AccessPolicy = AccessPolicy()
    ) throws(GRPCRequestHead.Refusal) -> GRPCRequestHead {
        try GRPCRequestHead(
            HPACKHeaders([(":method", method), (":path", path), ("content-type", type)] + more), access: access)
    }

    private let path = "/inference.GRPCInferenceService/ModelInfer"

    @Test("What a head says")
    func whole() throws {
        let head = try Self.head(path, [("grpc-encoding", "gzip"), ("grpc-timeout", "3m")])
        #expect(head.method == .inference(.modelInfer))
        #expect(head.encoding == .gzip)
        #expect(head.timeout == 3_000_000)
        let plain = try Self.head(path, [("grpc-encoding", "identity")])
        #expect(plain.encoding == nil)
        #expect(plain.timeout == nil)
    }

    @Test("What can't be served")
    func refusals() throws {
        #expect(throws: GRPCRequestHead.Refusal.notGRPC) { _ = try Self.head(path, method: "GET") }
        #expect(throws: GRPCRequestHead.Refusal.notGRPC) { _ = try Self.head(path, type: "text/html") }
        #expect(throws: GRPCRequestHead.Refusal.status(GRPCStatus(.unimplemented, "there is no method '/x'"))) {
            _ = try Self.head("/x")
        }
        #expect(
            throws: GRPCRequestHead.Refusal.status(
                GRPCStatus(.unimplemented, "grpc-encoding 'br' is not supported"))
        ) { _ = try Self.head(path, [("grpc-encoding", "br")]) }
        #expect(throws: GRPCRequestHead.Refusal.status(GRPCStatus(.internal, "grpc-timeout '3' is no timeout"))) {
            _ = try Self.head(path, [("grpc-timeout", "3")])
        }
    }

    @Test("A part that needs a key")
    func access() throws {
        var access = AccessPolicy()
        try access.restrict("inference:key=secret", headerPrefix: "triton-grpc-protocol-")
        #expect(
            throws: GRPCRequestHead.Refusal.status(
                GRPCStatus(.unavailable, "This protocol is restricted, expecting header 'triton-grpc-protocol-key'"))
        ) { _ = try Self.head(path, access: access) }
        _ = try Self.head(path, [("triton-grpc-protocol-key", "secret")], access: access)
    }
}
