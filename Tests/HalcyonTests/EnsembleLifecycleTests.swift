import Foundation
import Halcyon
import HalcyonTestKit
import ModelRuntime
import Testing
import Threads

@Suite("Ensembles whose models come and go")
struct EnsembleLifecycleTests {
    /// An ensemble of one step or two, `IN` → … → `OUT`.
    private static func ensemble(_ steps: String..., dimensions: Int = 4, lines: String = "") -> String {
        let written = steps.enumerated().map { index, name in
            let from = index == 0 ? "IN" : "between\(index - 1)"
            let to = index == steps.count - 1 ? "OUT" : "between\(index)"
            return """
                step { model_name: "\(name)" input_map { key: "IN" value: "\(from)" } \
                output_map { key: "OUT" value: "\(to)" } }
                """
        }
        return """
            platform: "ensemble"
            max_batch_size: 8
            input [ { name: "IN" data_type: TYPE_FP32 dims: [ \(dimensions) ] } ]
            output [ { name: "OUT" data_type: TYPE_FP32 dims: [ \(dimensions) ] } ]
            ensemble_scheduling { \(written.joined(separator: "\n")) }
            \(lines)
            """
    }

    /// Adds to every value.
    private static func adding(_ number: Float, name: String, gate: Gate? = nil) -> ScriptedBackend {
        ScriptedBackend(name: name) { batch, _ in
            let input = try batch.input("IN")
            let values = try input.elements(as: Float.self)
            if values.contains(2) { gate?.pass() }
            return [try Tensor(name: "OUT", shape: input.shape, values.map { $0 + number })]
        }
    }

    private func value(_ server: InferenceServer, _ model: String, _ value: Float) async throws -> Float {
        try await server.infer(try request(model, value)).output("OUT").elements(as: Float.self)[0]
    }

    private func poller(_ repository: TemporaryRepository) throws -> InferenceServer {
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = .poll
        options.repositoryPollInterval = .seconds(3600)
        return try InferenceServer(options)
    }

    @Test("Ensembles that would need each other in a circle are refused, also where the repository has another story")
    func circle() async throws {
        let repository = try TemporaryRepository()
        for name in ["a", "b"] { try repository.add(name, backend: "identity") }
        let server = try startServer(repository)
        let json = { (step: String) in
            ModelOverride(
                configuration: """
                    {"platform": "ensemble", "max_batch_size": 8,
                     "input": [{"name": "IN", "data_type": "TYPE_FP32", "dims": [4]}],
                     "output": [{"name": "OUT", "data_type": "TYPE_FP32", "dims": [4]}],
                     "ensemble_scheduling": {"step": [{"model_name": "\(step)", "input_map": {"IN": "IN"},
                                                       "output_map": {"OUT": "OUT"}}]}}
                    """)
        }
        try await server.loadModel("b")
        try await server.loadModel("a", override: json("b"))
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("b", override: json("a")) }
        #expect(error?.message.contains("circular dependency between ensembles: b -> a -> b") == true)
        #expect(try await value(server, "a", 3) == 3)
        #expect(await server.shutdown().isClean)
    }

    @Test("A request keeps the models that it began with, whatever becomes of them meanwhile")
    func held() async throws {
        let gate = Gate()
        let backends = [
            Self.adding(1, name: "one", gate: gate), Self.adding(10, name: "ten"), Self.adding(100, name: "hundred"),
        ]
        let repository = try TemporaryRepository()
        try repository.add("first", backend: "one", lines: "instance_group [ { count: 2 } ]")
        try repository.add("second", backend: "ten")
        try repository.add("both", configuration: Self.ensemble("first", "second"))
        let server = try startServer(repository, backends: backends)
        try await server.loadModel("both")
        let swapped = Task { try await value(server, "both", 2) }
        await gate.waitForArrivals(1)
        try repository.add("second", backend: "hundred")
        let swap = Task { try await server.loadModel("second") }
        while try await value(server, "both", 5) != 106 { await Task.yield() }
        let unload = Task { try await server.unloadModel("second") }
        while server.isModelReady("second") { await Task.yield() }
        let refused = await #expect(throws: HalcyonError.self) { try await value(server, "both", 5) }
        #expect(refused?.message.hasPrefix("in ensemble 'both', step 1, model 'second': ") == true)
        gate.open()
        #expect(try await swapped.value == 13)
        try await swap.value
        try await unload.value
        #expect(await server.shutdown().isClean)
    }

    @Test("An answer from memory is never that of a step's model that has been replaced")
    func cache() async throws {
        let repository = try TemporaryRepository()
        try repository.add("step", backend: "one")
        try repository.add("inner", configuration: Self.ensemble("step"))
        try repository.add("outer", configuration: Self.ensemble("inner", lines: "response_cache { enable: true }"))
        let backends = [Self.adding(1, name: "one"), Self.adding(10, name: "ten")]
        let server = try startServerWithoutWarmUp(repository, backends: backends, cacheByteSize: 1 << 20)
        try await server.loadModel("outer")
        for _ in 0..<2 { #expect(try await value(server, "outer", 1) == 2) }
        #expect(backends[0].executedBatchSizes.count == 1)
        try repository.add("step", backend: "ten")
        try await server.loadModel("step")
        for _ in 0..<2 { #expect(try await value(server, "outer", 1) == 11) }
        #expect(backends[1].executedBatchSizes.count == 1)
        await server.shutdown()
    }

    @Test("An ensemble that no longer fits a step's model is not ready, and the index and the server say so")
    func disagreement() async throws {
        let repository = try TemporaryRepository()
        try repository.add("step", backend: "identity")
        try repository.add("outer", configuration: Self.ensemble("step"))
        let server = try startServer(repository)
        try await server.loadModel("outer")
        #expect(server.isReady)
        try repository.add("step", backend: "identity", dimensions: 5)
        try await server.loadModel("step")
        #expect(!server.isModelReady("outer") && server.isModelReady("step") && !server.isReady)
        let entry = try #require(server.modelIndex().first { $0.name == "outer" })
        #expect(entry.state == .unavailable && entry.reason.contains("inconsistent shape"), "\(entry.reason)")
        try repository.add("step", backend: "identity")
        try await server.loadModel("step")
        #expect(server.isModelReady("outer") && server.isReady)
        try await server.unloadModel("step")
        let gone = try #require(server.modelIndex().first { $0.name == "outer" })
        #expect(
            gone.state == .unavailable && gone.reason.hasPrefix("unloaded: step 0, model 'step': "), "\(gone.reason)")
        #expect(server.isReady, "nothing has failed")
        await server.shutdown()
    }

    @Test("An ensemble whose step has no such version is a failure that stays in the index")
    func absentVersion() async throws {
        let repository = try TemporaryRepository()
        try repository.add("step", backend: "identity")
        let text = Self.ensemble("step").replacing("model_name", with: "model_version: 9 model_name")
        try repository.add("outer", configuration: text)
        let server = try InferenceServer(ServerOptions(repositoryPaths: [repository.path]))
        await #expect(throws: HalcyonError.self) { try await server.waitUntilReady() }
        let entry = try #require(server.modelIndex().first { $0.name == "outer" })
        #expect(entry.state == .unavailable && entry.reason.contains("version 9"), "\(entry.reason)")
        #expect(!server.isReady)
        await server.shutdown()
    }

    @Test("Polling loads an ensemble and its models that change together, and one whose model comes later")
    func polling() async throws {
        let repository = try TemporaryRepository()
        // By name, each ensemble comes before its step.
        try repository.add("b_step", backend: "identity")
        try repository.add("a_ensemble", configuration: Self.ensemble("b_step"))
        try repository.add("c_early", configuration: Self.ensemble("d_late"))
        let server = try poller(repository)
        await #expect(throws: HalcyonError.self) { try await server.waitUntilReady() }
        #expect(server.isModelReady("a_ensemble") && !server.isModelReady("c_early"))
        try repository.add("b_step", backend: "identity", dimensions: 5)
        try repository.add("a_ensemble", configuration: Self.ensemble("b_step", dimensions: 5))
        try repository.add("d_late", backend: "identity")
        for _ in 0..<2 { server.pollRepositories() }
        #expect(try server.modelMetadata("a_ensemble").inputs[0].shape == [-1, 5])
        for model in ["a_ensemble", "c_early", "d_late"] { #expect(server.isModelReady(model), "\(model)") }
        #expect(server.isReady)
        // A step alone: its ensemble does not fit until it changes as well.
        try repository.add("b_step", backend: "identity", dimensions: 6)
        for _ in 0..<2 { server.pollRepositories() }
        #expect(!server.isModelReady("a_ensemble"))
        try repository.add("a_ensemble", configuration: Self.ensemble("b_step", dimensions: 6))
        for _ in 0..<2 { server.pollRepositories() }
        #expect(server.isModelReady("a_ensemble"))
        for model in ["a_ensemble", "b_step"] {
            try FileManager.default.removeItem(atPath: "\(repository.path)/\(model)")
        }
        for _ in 0..<2 { server.pollRepositories() }
        while server.modelIndex().contains(where: { $0.state == .unloading }) { await Task.yield() }
        #expect(!server.isModelReady("a_ensemble") && !server.isModelReady("b_step"))
        #expect(await server.shutdown().isClean)
    }

    @Test("The models that only an ensemble needs go with it, at any depth, and none that others need")
    func dependents() async throws {
        let repository = try TemporaryRepository()
        for name in ["shared", "own"] { try repository.add(name, backend: "identity") }
        try repository.add("inner", configuration: Self.ensemble("shared", "own"))
        try repository.add("outer", configuration: Self.ensemble("inner"))
        try repository.add("other", configuration: Self.ensemble("shared"))
        let server = try startServer(repository)
        for name in ["outer", "other"] { try await server.loadModel(name) }
        try await server.unloadModel("outer", dependents: true)
        let ready = ["shared", "own", "inner", "outer", "other"].filter { server.isModelReady($0) }
        #expect(ready == ["shared", "other"])
        #expect(await server.shutdown().isClean)
    }

    @Test("A request whose timeout passes while it waits for others to end is told so at once")
    func timeout() async throws {
        let gate = Gate()
        let clock = ManualClock()
        let repository = try TemporaryRepository()
        try repository.add("step", backend: "one")
        let limited = Self.ensemble("step").replacing(
            "ensemble_scheduling {", with: "ensemble_scheduling { max_inflight_requests: 1")
        try repository.add("outer", configuration: limited)
        let server = try startServer(repository, backends: [Self.adding(1, name: "one", gate: gate)], clock: clock)
        try await server.loadModel("outer")
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        server.submit(try request("outer", 2)) { outcomes.add($0) }
        await gate.waitForArrivals(1)
        server.submit(try request("outer", 5, timeoutMicroseconds: 1000)) { outcomes.add($0) }
        server.submit(try request("outer", 6)) { outcomes.add($0) }
        clock.advance(by: 1_000_000)
        let failure = await outcomes.wait(for: 1)[0].failure
        #expect(failure?.message == "Request timeout expired" && failure?.code == .unavailable)
        gate.open()
        let values = try await outcomes.wait(for: 3).dropFirst().map {
            try $0.get().output("OUT").elements(as: Float.self)[0]
        }
        #expect(values == [3, 7])
        await server.shutdown()
    }

    @Test("Many waiting requests that are answered from memory end one after the other, not one inside the other")
    func depth() async throws {
        let gate = Gate()
        let repository = try TemporaryRepository()
        try repository.add("step", backend: "one", lines: "response_cache { enable: true }")
        let limited = Self.ensemble("step").replacing(
            "ensemble_scheduling {", with: "ensemble_scheduling { max_inflight_requests: 1")
        try repository.add("outer", configuration: limited)
        let backends = [Self.adding(1, name: "one", gate: gate)]
        let server = try startServerWithoutWarmUp(repository, backends: backends, cacheByteSize: 1 << 20)
        try await server.loadModel("outer")
        #expect(try await value(server, "outer", 5) == 6)
        let outcomes = Collected<Bool>()
        let count = 30_000
        server.submit(try request("outer", 2)) { outcomes.add((try? $0.get()) != nil) }
        await gate.waitForArrivals(1)
        let again = try request("outer", 5)
        for _ in 1..<count { server.submit(again) { outcomes.add((try? $0.get()) != nil) } }
        gate.open()
        let answers = await outcomes.wait(for: count)
        #expect(!answers.contains(false))
        #expect(await server.shutdown().isClean)
    }

    @Test("A request that is taken back before its turn to start leaves no gap behind")
    func cancelledBeforeStart() async throws {
        let repository = try TemporaryRepository()
        try repository.add("step", backend: "one", lines: "response_cache { enable: true }")
        let limited = Self.ensemble("step").replacing(
            "ensemble_scheduling {", with: "ensemble_scheduling { max_inflight_requests: 2")
        try repository.add("outer", configuration: limited)
        let backends = [Self.adding(1, name: "one")]
        let server = try startServerWithoutWarmUp(repository, backends: backends, cacheByteSize: 1 << 20)
        try await server.loadModel("outer")
        #expect(try await value(server, "outer", 5) == 6)
        // One whose answer is there at once keeps the thread that starts requests in its handler.
        let gate = Gate()
        let known = try request("outer", 5)
        let holder = try WorkerThread(name: "holder") { server.submit(known) { _ in gate.pass() } }
        await gate.waitForArrivals(1)
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        let second = server.submit(try request("outer", 6)) { outcomes.add($0) }
        second?.cancel()
        #expect(outcomes.values.first?.failure?.code == .cancelled)
        gate.open()
        holder.join()
        for number: Float in [7, 8, 9] { #expect(try await value(server, "outer", number) == number + 1) }
        try await server.unloadModel("outer")
        #expect(await server.shutdown().isClean)
    }

    @Test("A request that has failed is forgotten, with its tensors and its models")
    func forgotten() async throws {
        let repository = try TemporaryRepository()
        try repository.add("step", backend: "failing")
        try repository.add("outer", configuration: Self.ensemble("step"))
        let backend = ScriptedBackend(name: "failing") { _, _ in throw HalcyonError(.internal, "no") }
        let server = try startServerWithoutWarmUp(repository, backends: [backend])
        try await server.loadModel("outer")
        let isFreed = Collected<Bool>()
        func fail() async throws {
            var wanted = try request("outer", 1)
            let bytes = wanted.inputs[0].data
            wanted.inputs[0].data = TensorBuffer(
                TensorStorage(owning: bytes.baseAddress, byteCount: bytes.byteCount) { _ in
                    withExtendedLifetime(bytes) {}
                    isFreed.add(true)
                })
            let failing = wanted
            await #expect(throws: HalcyonError.self) { try await server.infer(failing) }
        }
        try await fail()
        #expect(await isFreed.wait(for: 1) == [true])
        #expect(await server.shutdown().isClean)
    }
}
