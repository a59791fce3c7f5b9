import HalcyonTestKit
import IdentityBackend
import ModelRuntime
import Tensors
import Testing

@testable import ModelIsolation

@Suite("What is decided of workers")
struct PolicyTests {
    @Test("A worker is replaced at once, and after growing pauses where it comes to nothing")
    func restarts() {
        var policy = RestartPolicy()
        let starts = (0..<10).map { _ in policy.lost(hasExecuted: false, now: 0) / 1_000_000 }
        #expect(starts == [0, 250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000])
        #expect(policy.lost(hasExecuted: true, now: 5) == 5)
    }

    @Test("A request that ends two workers is refused for ten minutes")
    func poison() {
        var poison = Poison()
        #expect(poison.isEmpty)
        poison.killed(1, now: 0)
        #expect(poison.refusal(1, now: 1) == nil)
        poison.killed(1, now: 10)
        #expect(poison.refusal(1, now: 20) == Poison.memory - 10)
        #expect(poison.refusal(2, now: 20) == nil)
        #expect(poison.refusal(1, now: 10 + Poison.memory) == nil)
        #expect(poison.isEmpty)
    }

    @Test("A request's fingerprint is of its bytes, shapes, types and names")
    func fingerprints() throws {
        let tensors = [
            try Tensor(name: "A", shape: [2], [Int32(1), 2]), try Tensor(name: "A", shape: [2], [Int32(1), 3]),
            try Tensor(name: "B", shape: [2], [Int32(1), 2]), try Tensor(name: "A", shape: [1, 2], [Int32(1), 2]),
            try Tensor(name: "A", shape: [2], [UInt32(1), 2]),
        ]
        #expect(Set(try tensors.map { try Poison.fingerprint([$0]) }).count == tensors.count)
        #expect(try Poison.fingerprint([tensors[0]]) == Poison.fingerprint([tensors[0]]))
    }

    private struct Choosing: CustomStringConvertible {
        var mode: IsolationPolicy.Mode
        var parameter: String?
        var hasClientFiles = false
        var runtime = ""
        var expected: IsolationPolicy.Choice
        var description: String { "\(mode) \(parameter ?? "-") \(hasClientFiles)" }
    }

    @Test("Which models are isolated")
    func choices() throws {
        let cases = [
            Choosing(mode: .none, parameter: nil, expected: .none),
            Choosing(mode: .none, parameter: "process", expected: .none),
            Choosing(mode: .none, parameter: "none", hasClientFiles: true, expected: .process),
            Choosing(mode: .perModel, parameter: nil, expected: .none),
            Choosing(mode: .perModel, parameter: "process", expected: .process),
            Choosing(mode: .perModel, parameter: "per-instance", expected: .perInstance),
            Choosing(mode: .perModel, parameter: "none", hasClientFiles: true, expected: .process),
            Choosing(mode: .perModel, parameter: "per-instance", hasClientFiles: true, expected: .perInstance),
            Choosing(mode: .process, parameter: nil, expected: .process),
            Choosing(mode: .process, parameter: "none", expected: .none),
        ]
        for each in cases {
            let choice = try Self.policy(each.mode).choice(for: Self.request(each), around: IdentityEngine())
            #expect(choice == each.expected, "\(each)")
        }
        for (parameter, hasClientFiles, expected) in [
            (nil, false, .none), ("process", false, .process), (nil, true, .process),
        ] as [(String?, Bool, IsolationPolicy.Choice)] {
            let each = Choosing(
                mode: .process, parameter: parameter, hasClientFiles: hasClientFiles, expected: expected)
            let choice = try Self.policy(.process).choice(for: Self.request(each), around: OwnProcesses())
            #expect(choice == expected, "of a backend that isolates its models itself: \(each)")
        }
        for (runtime, expected) in [
            ("model.py", .none), ("libother.so", .process), ("libtriton_python.so", .process),
        ] as [(String, IsolationPolicy.Choice)] {
            let each = Choosing(mode: .process, parameter: nil, runtime: runtime, expected: expected)
            let choice = try Self.policy(.process).choice(for: Self.request(each), around: OwnProcesses())
            #expect(choice == expected, "of a model that names the library '\(runtime)'")
        }
        let wrong = Choosing(mode: .none, parameter: "thread", expected: .none)
        let error = #expect(throws: HalcyonError.self) {
            _ = try Self.policy(.none).choice(for: Self.request(wrong), around: IdentityEngine())
        }
        #expect(error?.message.contains("'isolation' is none, process or per-instance, got 'thread'") == true)
    }

    @Test("A sandbox has the paths of the configuration's backend, also where that lies with its model")
    func sandboxes() {
        var settings = WorkerSettings()
        settings.backendConfiguration = ["mine": ["cache_dir": "/kept"], "other": ["cache_dir": "/others"]]
        settings.engineDirectories = ["mine": ["/engines/mine"]]
        for registered in ["mine", ModelBackends.name] {
            let options = IsolatedBackend.Options(launcher: ThreadLauncher { _ in }, settings: settings)
            let source = ModelSource(
                modelName: "m", version: 1, configuration: Fixture.configuration(backend: "mine"),
                modelDirectory: "/models/m", modelPath: nil, log: Fixture.log)
            let paths = IsolatedBackend(OwnProcesses(name: registered), options: options).sandbox(source)
            #expect(paths.writable.contains("/kept") && !paths.writable.contains("/others"), "\(registered)")
            #expect(paths.readable.contains("/engines/mine") && paths.readable.contains("/models/m"), "\(registered)")
        }
    }

    private struct OwnProcesses: Backend {
        var name = "own"
        let modelFilenames: [String] = []
        let runsModelsInOwnProcesses = true
        func openModel(_ source: ModelSource) throws -> any BackendModel { throw HalcyonError(.internal, "never") }
    }

    private static func policy(_ mode: IsolationPolicy.Mode, canLaunch: Bool = true) -> IsolationPolicy {
        IsolationPolicy(
            mode: mode, launcher: canLaunch ? ThreadLauncher { _ in } : nil, settings: WorkerSettings(),
            isSandboxed: false)
    }

    private static func request(_ choosing: Choosing) -> IsolationRequest {
        IsolationRequest(
            parameters: choosing.parameter.map { ["isolation": $0] } ?? [:], modelName: "m", runtime: choosing.runtime,
            hasClientFiles: choosing.hasClientFiles, executionTimeout: 0)
    }

    @Test("Without a program that can be a worker, a client's files run here, and a model that must not is refused")
    func withoutLauncher() throws {
        let policy = Self.policy(.perModel, canLaunch: false)
        let backend = ScriptedBackend(script: ScriptedBackend.echo())
        let files = Choosing(mode: .perModel, parameter: nil, hasClientFiles: true, expected: .none)
        #expect(try policy.backend(for: Self.request(files), around: backend) is ScriptedBackend)
        let wanted = Choosing(mode: .perModel, parameter: "process", expected: .process)
        let error = #expect(throws: HalcyonError.self) {
            _ = try policy.backend(for: Self.request(wanted), around: backend)
        }
        #expect(error?.message.contains("runWorkerIfAsked") == true)
    }

    @Test("Limits that mean nothing are refused")
    func limits() {
        let backend = ScriptedBackend(script: ScriptedBackend.echo())
        for (name, value) in [
            ("worker_memory_bytes", "much"), ("worker_cpu_cores", "3-1"), ("retry_batch_singly", "maybe"),
        ] {
            let request = IsolationRequest(
                parameters: ["isolation": "process", name: value], modelName: "m", runtime: "",
                hasClientFiles: false, executionTimeout: 0)
            let error = #expect(throws: HalcyonError.self) {
                _ = try Self.policy(.perModel).backend(for: request, around: backend)
            }
            #expect(error?.message.contains("'\(name)'") == true)
        }
    }

    @Test("Which endings a request may be blamed for")
    func blame() {
        for signal: Int32 in [4, 6, 7, 8, 11] {
            #expect(WorkerEnding.killed(signal: signal, memoryWasShort: false).isCrash)
        }
        for signal: Int32 in [2, 9, 15] {
            #expect(!WorkerEnding.killed(signal: signal, memoryWasShort: false).isCrash)
        }
        #expect(WorkerEnding.exited(1).isCrash)
        #expect(!WorkerEnding.overrun(1).isCrash && !WorkerEnding.stopped.isCrash)
    }

    @Test("An ending is said in words, and has a label")
    func endings() {
        let cases: [(WorkerEnding, String, String)] = [
            (.killed(signal: 11, memoryWasShort: false), "was ended by signal 11 (SIGSEGV)", "signal"),
            (.killed(signal: 9, memoryWasShort: true), "short of memory", "memory"),
            (.exited(3), "ended with status 3", "exit"),
            (.memory(bytes: 3 << 20, limit: 2 << 20), "took 3 MiB of memory and may take 2", "memory"),
            (.overrun(1_500_000_000), "had not answered for 1500 ms", "timeout"),
            (.stopped, "stopped by a signal", "stopped"), (.fault("x"), "broke the rules between them: x", "protocol"),
        ]
        for (ending, words, label) in cases {
            #expect(ending.words.contains(words))
            #expect(ending.label == label)
            #expect(WorkerEnding.labels.contains(label))
        }
    }
}
