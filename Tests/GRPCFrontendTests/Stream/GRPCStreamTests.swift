import KServeProtocol
import NIOCore
import Testing

@testable import GRPCFrontend

@Suite("gRPC stream")
struct GRPCStreamTests {
    private static let infer = GRPCMethod.inference(.modelInfer)
    private static let stream = GRPCMethod.inference(.modelStreamInfer)

    private func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    private func head(_ method: GRPCMethod, timeout: Int64? = nil) throws -> GRPCRequestHead {
        let path =
            method == .reflection
            ? "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
            : "/inference.GRPCInferenceService/" + (method == Self.stream ? "ModelStreamInfer" : "ModelInfer")
        return try GRPCRequestHeadTests.head(path, timeout.map { [("grpc-timeout", "\($0)S")] } ?? [])
    }

    private func open(_ method: GRPCMethod, timeout: Int64? = nil) throws -> GRPCStream {
        var options = GRPCOptions()
        options.messageTimeout = 60
        var stream = GRPCStream(options)
        #expect(stream.headers(.success(try head(method, timeout: timeout)), at: time(0)) == [.begin(method)])
        return stream
    }

    private let noMessage = GRPCStatus(.internal, "the stream ended before a whole message")

    @Test("A call of one message")
    func unary() throws {
        var stream = try open(Self.infer)
        #expect(stream.openMethod == Self.infer)
        #expect(stream.message() == [.deliver(Self.infer)])
        #expect(stream.ended(isPartial: false) == [])
        #expect(stream.openMethod == nil)
        #expect(stream.finish(.ok) == [.status(.ok)])
        #expect(stream.finish(.ok) == [])
        #expect(stream.closed() == [])
    }

    @Test("A second message ends a call of one, and takes back what the first began")
    func twoMessages() throws {
        var stream = try open(Self.infer)
        #expect(stream.message() == [.deliver(Self.infer)])
        let status = GRPCStatus(.internal, "the method takes one message, and the client sent another")
        #expect(stream.message() == [.status(status), .cancel])
        #expect(stream.message() == [])
    }

    @Test("A call of many messages, and its end")
    func streaming() throws {
        var stream = try open(Self.stream)
        for _ in 0..<3 { #expect(stream.message() == [.deliver(Self.stream)]) }
        #expect(stream.ended(isPartial: false) == [.endOfMessages])
        #expect(stream.finish(.ok) == [.status(.ok)])
        var empty = try open(Self.stream)
        #expect(empty.ended(isPartial: false) == [.endOfMessages])
        var reflection = try open(.reflection)
        #expect(reflection.ended(isPartial: false) == [.status(.ok)])
    }

    @Test("A call without a whole message fails")
    func incomplete() throws {
        var empty = try open(Self.infer)
        #expect(empty.ended(isPartial: false) == [.status(noMessage), .cancel])
        var half = try open(Self.stream)
        #expect(half.ended(isPartial: true) == [.status(noMessage), .cancel])
    }

    @Test("Headers that can't be served end the call; what follows them is no head")
    func refusals() throws {
        var foreign = GRPCStream(GRPCOptions())
        #expect(foreign.headers(.failure(.notGRPC), at: time(0)) == [.refuse])
        #expect(foreign.ended(isPartial: false) == [])
        var unknown = GRPCStream(GRPCOptions())
        let status = GRPCStatus(.unimplemented, "none")
        #expect(unknown.headers(.failure(.status(status)), at: time(0)) == [.status(status)])
        #expect(unknown.message() == [])
        var stream = try open(Self.infer)
        #expect(stream.headers(.failure(.notGRPC), at: time(0)) == [])
    }

    @Test("The deadline's status goes out before what was begun is taken back", arguments: [infer, stream])
    func deadline(method: GRPCMethod) throws {
        var stream = try open(method, timeout: 2)
        _ = stream.message()
        _ = stream.ended(isPartial: false)
        #expect(stream.nextDeadline == time(2))
        #expect(stream.timeReached(time(1)) == [])
        #expect(
            stream.timeReached(time(2)) == [.status(GRPCStatus(.deadlineExceeded, "Deadline Exceeded")), .cancel])
        #expect(stream.finish(GRPCStatus(.cancelled, "")) == [])
        #expect(stream.nextDeadline == nil)
    }

    @Test("A message that has begun comes to its end in time, and none is waited for in between")
    func messageTimeout() throws {
        var stream = try open(Self.stream)
        #expect(stream.nextDeadline == nil)
        stream.received(isPartial: true, at: time(1))
        stream.received(isPartial: true, at: time(30))
        #expect(stream.nextDeadline == time(61))
        stream.received(isPartial: false, at: time(60))
        #expect(stream.nextDeadline == nil)
        stream.received(isPartial: true, at: time(100))
        #expect(stream.timeReached(time(159)) == [])
        let status = GRPCStatus(
            .deadlineExceeded, "a message did not come in within grpc-message-timeout-secs, 60")
        #expect(stream.timeReached(time(160)) == [.status(status), .cancel])
    }

    @Test("A client that goes, or takes nothing, takes back its call")
    func gone() throws {
        var stream = try open(Self.infer)
        _ = stream.message()
        #expect(stream.closed() == [.cancel])
        #expect(stream.closed() == [])
        var stalled = try open(Self.infer)
        #expect(stalled.stalled() == [.cancel, .reset])
        var finished = try open(Self.infer)
        _ = finished.finish(.ok)
        #expect(finished.stalled() == [.reset])
    }
}
