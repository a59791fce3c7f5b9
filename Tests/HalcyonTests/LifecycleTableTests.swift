import Foundation
import Halcyon
import HalcyonTestKit
import Testing

/// What comes of each event in each state of a model.
@Suite("The states of a model, and what changes them")
struct LifecycleTableTests {
    enum State: String, CaseIterable, Sendable {
        /// There is no such model.
        case absent
        /// It lies in the repository, and nobody has asked for it.
        case idle
        case ready
        /// It was asked for and could not be loaded.
        case failed
        /// It serves, and could not be loaded again.
        case kept
        case unloaded
        /// It is on its way to ready, held up by its first execution.
        case loading
        /// It is on its way out, held up by a request that runs.
        case unloading
    }

    enum Event: String, CaseIterable, Sendable {
        case load
        /// With a configuration that nothing can run.
        case loadBroken
        case unload
        case infer
    }

    /// What the event's caller is told: `nil` for success.
    private static func answer(_ event: Event, _ state: State) -> HalcyonError.Code? {
        switch (event, state) {
        case (.load, .absent), (.loadBroken, .absent): .notFound
        case (.load, _): nil
        case (.loadBroken, _): .invalidArgument
        // What is not loaded is unloaded already.
        case (.unload, _): nil
        case (.infer, .ready), (.infer, .kept): nil
        case (.infer, _): .notFound
        }
    }

    /// What the index says when all is over: the state, and whether there is a reason.
    private static func entry(_ event: Event, _ state: State) -> (ModelState?, hasReason: Bool)? {
        switch (event, state) {
        case (_, .absent): nil
        case (.load, _): (.ready, false)
        // Where it serves it goes on serving.
        case (.loadBroken, .ready), (.loadBroken, .kept), (.loadBroken, .loading): (.ready, true)
        case (.loadBroken, _): (.unavailable, true)
        // What failed before it had a version is as if it had never been asked for.
        case (.unload, .idle), (.infer, .idle), (.unload, .failed): (nil, false)
        case (.unload, _): (.unavailable, true)
        case (.infer, .ready), (.infer, .loading): (.ready, false)
        case (.infer, .kept): (.ready, true)
        case (.infer, _): (.unavailable, true)
        }
    }

    private static let broken = ModelOverride(configuration: #"{"backend":"nosuch"}"#)

    @Test("Every pair", arguments: State.allCases, Event.allCases)
    func pair(state: State, event: Event) async throws {
        let gate = Gate()
        let echo = ScriptedBackend.echo()
        let isHeld = state == .loading || state == .unloading
        let backend = ScriptedBackend { batch, identity in
            // What the test itself sends carries a 1, and is not held.
            let value = try batch.inputs[0].elements(as: Float.self)[0]
            if isHeld, state == .loading ? value == 0 : value == 2 { gate.pass() }
            return try echo(&batch, identity)
        }
        let repository = try TemporaryRepository()
        if state != .absent { try repository.add("model", backend: "scripted") }
        let server = try startServer(repository, backends: [backend])
        try await server.waitUntilReady()
        let background = try await bring(server, to: state, gate)
        async let outcome = perform(event, server)
        if isHeld {
            // An inference is answered at once, while the model is held; all else waits for its turn.
            if event == .infer { #expect(await outcome == Self.answer(event, state)) }
            gate.open()
        }
        #expect(await outcome == Self.answer(event, state))
        for task in background {
            let outcome = await task.result
            // An unload gives up the loads that came before it, and are not over.
            let mayBeGivenUp = state == .loading && event == .unload
            let code = (outcome.failure as? HalcyonError)?.code
            #expect(code == nil || mayBeGivenUp && code == .unavailable)
        }
        let expected = Self.entry(event, state)
        let entry = server.modelIndex().first
        #expect(entry?.state == expected?.0)
        #expect(entry.map { !$0.reason.isEmpty } == expected?.hasReason)
        #expect(server.isModelReady("model") == (expected?.0 == .ready))
        #expect(await server.shutdown().isClean)
    }

    /// - Returns: what ends only when the gate is open.
    private func bring(_ server: InferenceServer, to state: State, _ gate: Gate) async throws -> [Task<Void, any Error>]
    {
        switch state {
        case .absent, .idle: return []
        case .ready: try await server.loadModel("model")
        case .failed: try? await server.loadModel("model", override: Self.broken)
        case .kept:
            try await server.loadModel("model")
            try? await server.loadModel("model", override: Self.broken)
        case .unloaded:
            try await server.loadModel("model")
            try await server.unloadModel("model")
        case .loading:
            let load = Task { try await server.loadModel("model") }
            await gate.waitForArrivals(1)
            return [load]
        case .unloading:
            try await server.loadModel("model")
            let held = Task { _ = try await server.infer(try request("model", 2)) }
            await gate.waitForArrivals(1)
            let unload = Task { try await server.unloadModel("model") }
            while server.isModelReady("model") { await Task.yield() }
            return [held, unload]
        }
        return []
    }

    private func perform(_ event: Event, _ server: InferenceServer) async -> HalcyonError.Code? {
        do {
            switch event {
            case .load: try await server.loadModel("model")
            case .loadBroken: try await server.loadModel("model", override: Self.broken)
            case .unload: try await server.unloadModel("model")
            case .infer: _ = try await server.infer(try request("model", 1))
            }
            return nil
        } catch {
            return (error as? HalcyonError)?.code
        }
    }

    /// How long it goes on: `HALCYON_CHURN_SECONDS`, or a few rounds.
    private static let churnSeconds = ProcessInfo.processInfo.environment["HALCYON_CHURN_SECONDS"].flatMap(Double.init)

    @Test("Anything from anywhere at once: no request is answered wrongly, and everything ends")
    func churn() async throws {
        let repository = try TemporaryRepository()
        for name in ["a", "b"] { try repository.add(name, backend: "identity", lines: "dynamic_batching { }") }
        try repository.add(
            "c", backend: "identity",
            lines: """
                version_policy { all { } }
                response_cache { enable: true }
                parameters { key: "execution_timeout_microseconds" value { string_value: "60000000" } }
                """)
        try repository.add("s", backend: "identity", lines: "sequence_batching { oldest { } }")
        try repository.add(
            "all",
            configuration: """
                platform: "ensemble"
                max_batch_size: 8
                input { name: "IN" data_type: TYPE_FP32 dims: 4 }
                output { name: "OUT" data_type: TYPE_FP32 dims: 4 }
                ensemble_scheduling {
                  max_inflight_requests: 3
                  step {
                    model_name: "a" input_map { key: "IN" value: "IN" } output_map { key: "OUT" value: "between" }
                  }
                  step {
                    model_name: "c" input_map { key: "IN" value: "between" } output_map { key: "OUT" value: "OUT" }
                  }
                }
                """)
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = .explicit
        options.responseCacheByteSize = 1 << 20
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        let answered = Collected<Float>()
        let end = Self.churnSeconds.map { ContinuousClock.now + .seconds($0) }
        await withTaskGroup(of: Void.self) { group in
            for seed in 0..<8 {
                group.addTask {
                    var generator = Generator(state: UInt64(seed) + 1)
                    var round = 0
                    while end.map({ ContinuousClock.now < $0 }) ?? (round < 60) {
                        round += 1
                        await anything(server, repository, answered, id: UInt64(seed + 8 * round), &generator)
                    }
                }
            }
        }
        #expect(!answered.values.isEmpty)
        for model in ["a", "b", "all", "s"] { try await server.loadModel(model) }
        #expect(try await server.infer(try request("all", 7)).output("OUT").elements(as: Float.self)[0] == 7)
        #expect(await server.shutdown().isClean)
    }

    /// One of the things that may be done to a server.
    private func anything(
        _ server: InferenceServer, _ repository: TemporaryRepository, _ answered: Collected<Float>, id: UInt64,
        _ generator: inout Generator
    ) async {
        let model = ["a", "b", "c", "s", "all"].randomElement(using: &generator) ?? "a"
        switch Int.random(in: 0..<14, using: &generator) {
        case 0: try? await server.loadModel(model)
        case 1: try? await server.unloadModel(model, dependents: Bool.random(using: &generator))
        case 2: try? await server.loadModel(model, override: Self.broken)
        case 3:
            _ = server.modelIndex()
            _ = try? server.statistics()
            _ = try? server.modelConfiguration(model)
            _ = server.isReady
        case 4:
            // A version more, which leaves the other alone, or one less.
            let path = "\(repository.path)/c/\(Int.random(in: 2...3, using: &generator))"
            if (try? FileManager.default.removeItem(atPath: path)) == nil {
                try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            try? await server.loadModel("c")
        default:
            // Few values, so that some are answered from memory.
            let value = Float(Int.random(in: 0..<20, using: &generator))
            guard var wanted = try? request(model, value) else { return }
            wanted.sequence = InferenceSequence(id: .number(id), isStart: true, isEnd: true)
            guard let response = try? await server.infer(wanted) else { return }
            #expect((try? response.output("OUT").elements(as: Float.self)) == Array(repeating: value, count: 4))
            answered.add(value)
        }
    }

    /// Pseudo-random numbers that a seed repeats (xorshift).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
