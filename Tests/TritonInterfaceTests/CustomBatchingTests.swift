import Foundation
import Halcyon
import HalcyonTestKit
import ModelRuntime
import Tensors
import Testing

@Suite("Custom batching by a library", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct CustomBatchingTests {
    private static let batching =
        "max_batch_size: 8\ndynamic_batching { max_queue_delay_microseconds: 600000000 }\n" + ExerciseBackend.tensors

    private struct Setup {
        let backend: ExerciseBackend
        var path: String { backend.folder.path }

        /// - Parameters:
        ///   - library: where the library of custom batching is to be.
        ///   - named: the file that the configuration's parameter names; `nil` for no parameter.
        init(
            _ library: String, named: String? = nil, _ text: String = batching, _ definitions: [String] = []
        ) throws {
            backend = try ExerciseBackend(["batched": text])
            let here = #filePath.split(separator: "/").dropLast().joined(separator: "/")
            try CLibrary.compile(
                "/\(here)/Backends/strategy.c", to: "\(backend.folder.path)/\(library)",
                ["REPORT=\"\(backend.folder.path)/report\""] + definitions)
            guard let named else { return }
            let parameter =
                "parameters { key: \"TRITON_BATCH_STRATEGY_PATH\" value { string_value: "
                + "\"\(backend.folder.path)/\(named)\" } }\n"
            try backend.folder.write(
                "backend: \"exercise\"\n" + parameter + text, to: "models/batched/config.pbtxt")
        }

        var report: String { (try? String(contentsOfFile: "\(path)/report", encoding: .utf8)) ?? "" }
    }

    /// - Throws: where it does not come true.
    private func until(_ isTrue: () throws -> Bool) async throws {
        for _ in 0..<1_000_000 {
            if try isTrue() { return }
            await Task.yield()
        }
        throw HalcyonError(.internal, "what was waited for did not come true")
    }

    /// Requests with that second number at the same time, of which the last batch is held back until the server stops.
    ///
    /// - Parameter strategic: the requests in batches that the library ends.
    private func ask(_ setup: Setup, _ number: Int32, count: Int, strategic: UInt64, isAllowed: Bool) async throws {
        let server = try setup.backend.server { $0.allowsModelBackends = isAllowed }
        do {
            try await server.waitUntilReady()
        } catch {
            await server.shutdown()
            throw error
        }
        do {
            try await ask(server, number, count: count, strategic: strategic)
        } catch {
            await server.shutdown()
            throw error
        }
    }

    private func ask(_ server: InferenceServer, _ number: Int32, count: Int, strategic: UInt64) async throws {
        let request = InferenceRequest(
            modelName: "batched", inputs: [try Tensor(name: "IN", shape: [1, 2], [Int32(0), number])])
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<count {
                group.addTask { try await server.infer(request).output("OUT").elements(as: Int32.self) == [0, number] }
            }
            try await until {
                let reasons = try server.statistics(model: "batched").models.first?.batchReasons
                return reasons?[.strategy] == strategic
            }
            group.addTask {
                await server.shutdown()
                return true
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    /// Five requests, of which two fit into a batch.
    private func fives(_ setup: Setup, isAllowed: Bool) async throws {
        try await ask(setup, 5, count: 5, strategic: 4, isAllowed: isAllowed)
    }

    @Test(
        "the library is asked for each request, wherever it lies",
        arguments: [
            ("backends/exercise/batchstrategy.so", false, false), ("backends/exercise/mine.so", true, false),
            ("models/batched/batchstrategy.so", false, true), ("models/batched/1/batchstrategy.so", false, true),
            ("models/batched/mine.so", true, true), ("models/batched/1/mine.so", true, true),
        ])
    func places(library: String, isNamed: Bool, isAllowed: Bool) async throws {
        let setup = try Setup(library, named: isNamed ? library : nil)
        try await fives(setup, isAllowed: isAllowed)
        try await until { !setup.report.isEmpty }
        // Of each batch its two and the one that is refused, and the last alone.
        #expect(setup.report == "3 begun, 3 ended, 7 asked, 0 answered")
    }

    @Test(
        "code that lies elsewhere than with the backend is loaded only where that is allowed",
        arguments: ["models/batched/batchstrategy.so", "models/batched/1/batchstrategy.so"])
    func notAllowed(library: String) async throws {
        let setup = try Setup(library)
        let error = await #expect(throws: HalcyonError.self) { try await fives(setup, isAllowed: false) }
        let text = error?.message ?? ""
        #expect(text.contains("'\(setup.path)/\(library)'") && text.contains("--allow-model-backends has it loaded"))
    }

    @Test(
        "a named library is taken from the folders of the backend and the model only; what is there is not told",
        arguments: [
            ("elsewhere/mine.so", "elsewhere/mine.so", true), ("elsewhere/mine.so", "elsewhere/mine.so", false),
            ("elsewhere/mine.so", "elsewhere/absent.so", true), ("elsewhere/mine.so", "elsewhere/absent.so", false),
            ("models/batched/mine.so", "models/batched/mine.so", false),
            ("elsewhere/mine.so", "backends/exercise/../../elsewhere/mine.so", true),
            ("elsewhere/mine.so", "backends/exercise/link.so", true), ("elsewhere/mine.so", "backends/exercise", true),
        ])
    func namedElsewhere(library: String, named: String, isAllowed: Bool) async throws {
        let setup = try Setup(library, named: named)
        try FileManager.default.createSymbolicLink(
            atPath: "\(setup.path)/backends/exercise/link.so", withDestinationPath: "\(setup.path)/elsewhere/mine.so")
        let error = await #expect(throws: HalcyonError.self) { try await fives(setup, isAllowed: isAllowed) }
        let text = error?.message ?? ""
        #expect(
            text.contains(
                "batching library path not found: \(setup.path)/\(named); TRITON_BATCH_STRATEGY_PATH names a library "
                    + "in the backend's folder or, with --allow-model-backends, in the model's"), "\(text)")
        #expect(setup.report.isEmpty)
    }

    @Test("a library is not loaded for a model whose requests are not combined")
    func uncombined() async throws {
        let library = "backends/exercise/mine.so"
        let setup = try Setup(library, named: library, "max_batch_size: 1\n" + ExerciseBackend.tensors)
        let server = try setup.backend.server()
        do {
            try await server.waitUntilReady()
        } catch {
            await server.shutdown()
            throw error
        }
        await server.shutdown()
        #expect(setup.report.isEmpty)
    }

    @Test("what is wrong with a library ends the load, with its sentence")
    func faults() async throws {
        let place = "backends/exercise/batchstrategy.so"
        let sequences = "max_batch_size: 2\nsequence_batching { direct { } }\n" + ExerciseBackend.tensors
        let refusing = "parameters { key: \"refuses_batching\" value { string_value: \"yes\" } }\n" + Self.batching
        let missing =
            "parameters { key: \"TRITON_BATCH_STRATEGY_PATH\" value { string_value: \"/nowhere/x.so\" } }\n"
            + Self.batching
        for (setup, words) in [
            (try Setup(place, Self.batching, ["INCOMPLETE"]), "has no function TRITONBACKEND_ModelBatcherInitialize"),
            (try Setup(place, refusing), "can't be used: this model is not to be batched"),
            (try Setup(place, missing), "batching library path not found: /nowhere/x.so"),
            (
                try Setup("backends/exercise/mine.so", named: "backends/exercise/mine.so", sequences),
                "TRITON_BATCH_STRATEGY_PATH cannot be specified with sequence batcher"
            ),
        ] {
            let error = await #expect(throws: HalcyonError.self) { try await fives(setup, isAllowed: true) }
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }

    @Test("a request that the library can say nothing of runs, and begins a batch")
    func unsaid() async throws {
        let setup = try Setup("backends/exercise/batchstrategy.so")
        try await ask(setup, 99, count: 3, strategic: 2, isAllowed: false)
        try await until { !setup.report.isEmpty }
        #expect(setup.report == "3 begun, 3 ended, 5 asked, 0 answered")
    }

    @Test("a batch that is forming is formed anew where a request of a higher priority comes")
    func priorities() async throws {
        let priorities = "priority_levels: 2 default_priority_level: 2"
        let setup = try Setup(
            "backends/exercise/batchstrategy.so",
            Self.batching.replacing("{ max_queue", with: "{ \(priorities) max_queue"))
        try await serve(setup) { server, group in
            // Three 5s are one too many, whichever of them come first: the one with priority is in the first batch.
            for (name, priority) in [("low", 2), ("low", 2), ("high", 1)] {
                group.addTask { try await Self.answer(server, 5, priority: priority) ? name : "wrong" }
            }
            try await until { try Self.strategic(server) == 2 }
            let first = [try await group.next(), try await group.next()]
            #expect(first.contains("high") && first.contains("low"))
        }
    }

    @Test("a batch that is forming is formed anew without a request that timed out, or whose caller has gone")
    func leaving() async throws {
        let policy = "default_queue_policy { timeout_action: REJECT allow_timeout_override: true }"
        let setup = try Setup(
            "backends/exercise/batchstrategy.so", Self.batching.replacing("{ max_queue", with: "{ \(policy) max_queue"))
        try await serve(setup) { server, group in
            group.addTask { try await Self.answer(server, 5) ? "first" : "wrong" }
            let late = await #expect(throws: HalcyonError.self) {
                try await Self.answer(server, 5, timeout: .milliseconds(20))
            }
            #expect(late?.message.contains("Request timeout expired") == true)
            let gone = Task { try await Self.answer(server, 5, timeout: .seconds(600)) }
            gone.cancel()
            _ = await gone.result
            #expect(try Self.strategic(server) == 0)
            // With either of those these would be too many.
            group.addTask { try await Self.answer(server, 5) ? "second" : "wrong" }
            group.addTask { try await Self.answer(server, 5) ? "second" : "wrong" }
            try await until { try Self.strategic(server) == 2 }
            let answered = [try await group.next(), try await group.next()]
            #expect(!answered.contains("wrong"))
        }
    }

    /// Serves while `body` runs, and then answers what was held back.
    private func serve(
        _ setup: Setup, _ body: (InferenceServer, inout ThrowingTaskGroup<String, any Error>) async throws -> Void
    ) async throws {
        let server = try setup.backend.server()
        try await server.waitUntilReady()
        try await withThrowingTaskGroup(of: String.self) { group in
            do {
                try await body(server, &group)
            } catch {
                await server.shutdown()
                throw error
            }
            await server.shutdown()
            for try await answer in group { #expect(answer != "wrong") }
        }
    }

    private static func answer(
        _ server: InferenceServer, _ number: Int32, priority: Int = 0, timeout: Duration? = nil
    ) async throws -> Bool {
        var request = InferenceRequest(
            modelName: "batched", inputs: [try Tensor(name: "IN", shape: [1, 2], [Int32(0), number])],
            priority: priority)
        if let timeout { request.timeout = timeout }
        return try await server.infer(request).output("OUT").elements(as: Int32.self) == [0, number]
    }

    /// The requests in batches that the library ended.
    private static func strategic(_ server: InferenceServer) throws -> UInt64 {
        try server.statistics(model: "batched").models.first?.batchReasons[.strategy] ?? 0
    }

    @Test("the server's own backends take none")
    func ownBackends() async throws {
        let setup = try Setup("backends/exercise/mine.so")
        try setup.backend.folder.write(
            "backend: \"identity\"\n"
                + "parameters { key: \"TRITON_BATCH_STRATEGY_PATH\" value { string_value: \"x.so\" } }\n"
                + ExerciseBackend.tensors, to: "models/batched/config.pbtxt")
        let error = await #expect(throws: HalcyonError.self) { try await fives(setup, isAllowed: true) }
        #expect(error?.message.contains("custom batching is there for backends that were made for Triton only") == true)
    }
}
