import Foundation
import Halcyon
import HalcyonTestKit
import Synchronization
import Testing
import Threads

/// Answers with as many responses as the first value of the input says: 1, 2, 3 and so on; an error where it is
/// negative.
private struct CountingBackend: Backend {
    var name: String { "counting" }
    var modelFilenames: [String] { [] }
    let gate = Gate()
    let cancelled = Flag()
    /// The counts that requests have asked for.
    let counts = Collected<Float>()
    /// Responses that were given altogether.
    let sent = Locked(0)

    final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool {
            get { value.load(ordering: .relaxed) }
            set { value.store(newValue, ordering: .relaxed) }
        }
    }

    func openModel(_ source: ModelSource) throws -> any BackendModel { CountingModel(backend: self) }
}

private final class CountingModel: BackendModel {
    let backend: CountingBackend
    init(backend: CountingBackend) { self.backend = backend }
    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance { CountingInstance(backend) }
}

private final class CountingInstance: DecoupledModelInstance {
    let backend: CountingBackend
    init(_ backend: CountingBackend) { self.backend = backend }

    func execute(_ request: DecoupledRequest) throws {
        let count = try request.input("IN").elements(as: Float.self)[0]
        backend.counts.add(count)
        guard count >= 0 else { throw HalcyonError(.invalidArgument, "a negative count") }
        if count == 99 {
            backend.gate.pass()
            backend.cancelled.isSet = request.isCancelled
            return
        }
        for number in 0..<Int(count) {
            try request.send([try Tensor(name: "OUT", shape: [1, 4], [Float](repeating: Float(number + 1), count: 4))])
            backend.sent.withLock { $0 += 1 }
        }
    }
}

@Suite("Decoupled models")
struct DecoupledTests {
    private let backend = CountingBackend()

    private func start() async throws -> InferenceServer {
        let repository = try TemporaryRepository()
        try repository.add(
            "counting", backend: "counting", lines: "model_transaction_policy { decoupled: true }")
        let server = try startServer(repository, backends: [backend])
        try await server.loadModel("counting")
        return server
    }

    @Test("A request gets as many responses as the model gives, none included", arguments: [0, 1, 5])
    func counts(count: Int) async throws {
        let server = try await start()
        var values: [Float] = []
        for try await response in server.responses(to: try request("counting", Float(count))) {
            values.append(try response.output("OUT").elements(as: Float.self)[0])
            #expect(!response.isFinal)
        }
        #expect(values == (1...max(1, count)).prefix(count).map(Float.init))
        let statistics = try server.statistics(model: "counting").models[0]
        #expect(statistics.success.count == 1)
        #expect(statistics.responses.map(\.success.count) == Array(repeating: 1, count: count) + [0])
        #expect(statistics.responses.last?.empty.count == 1)
        await server.shutdown()
    }

    @Test("A model that is quicker than its caller is held back")
    func flow() async throws {
        let server = try await start()
        let count = 80_000
        var taken = 0
        var ahead = 0
        for try await _ in server.responses(to: try request("counting", Float(count))) {
            taken += 1
            ahead = max(ahead, backend.sent.withLock { $0 } - taken)
        }
        #expect(taken == count)
        // 16 MiB of responses, which count as 528 bytes each, and one beyond.
        #expect(ahead <= (16 << 20) / 528 + 2)
        #expect(await server.shutdown().isClean)
    }

    @Test("An error ends the responses")
    func failure() async throws {
        let server = try await start()
        let error = await #expect(throws: HalcyonError.self) {
            for try await _ in server.responses(to: try request("counting", -1)) {}
        }
        #expect(error?.message.hasSuffix("a negative count") == true)
        #expect(try server.statistics(model: "counting").models[0].fail.count == 1)
        await server.shutdown()
    }

    @Test("What expects one response says so")
    func once() async throws {
        let server = try await start()
        let error = await #expect(throws: HalcyonError.self) { try await server.infer(try request("counting", 1)) }
        #expect(error?.code == .unsupported)
        #expect(throws: HalcyonError.self) { try server.inferBlocking(try request("counting", 1)) }
        await server.shutdown()
    }

    @Test("The model can see that its caller has gone")
    func cancellation() async throws {
        let server = try await start()
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        let handle = server.submit(try request("counting", 99)) { outcomes.add($0) }
        await backend.gate.waitForArrivals(1)
        handle?.cancel()
        backend.gate.open()
        #expect(try await outcomes.wait(for: 1)[0].get().isFinal)
        #expect(backend.cancelled.isSet)
        await server.shutdown()
    }

    @Test("A backend that answers once can't be decoupled")
    func unable() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity", lines: "model_transaction_policy { decoupled: true }")
        let server = try startServer(repository)
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("echo") }
        #expect(
            error?.message.hasSuffix("model 'echo' is decoupled, and its backend answers every request exactly once")
                == true)
        await server.shutdown()
    }

    @Test(
        "A warm-up's responses are nobody's; a sample that fails is a load error",
        arguments: [(3, nil), (-1, "failed to warm up: warmup sample 'some': a negative count")] as [(Float, String?)])
    func warmUp(count: Float, complaint: String?) async throws {
        let repository = try TemporaryRepository()
        let sample = """
            model_warmup [ { name: "some" count: 2 batch_size: 1
                             inputs { key: "IN" value { data_type: TYPE_FP32 dims: [ 4 ] input_data_file: "some" } } } ]
            """
        try repository.add(
            "counting", backend: "counting", lines: "model_transaction_policy { decoupled: true }\n\(sample)")
        let folder = "\(repository.path)/counting/warmup"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bytes = [Float](repeating: count, count: 4).withUnsafeBytes { Data($0) }
        try bytes.write(to: URL(fileURLWithPath: "\(folder)/some"))
        let server = try startServer(repository, backends: [backend])
        if let complaint {
            let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("counting") }
            #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
        } else {
            try await server.loadModel("counting")
            #expect(backend.counts.values == [3, 3, 0, 0], "the sample, and zeros twice")
            let statistics = try server.statistics(model: "counting").models[0]
            #expect(statistics.success.count == 0 && statistics.responses.isEmpty)
        }
        await server.shutdown()
    }
}
