import HalcyonTestKit
import Logging
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing
import Threads

@testable import ModelRepository

@Suite struct RepositoryLintTests {
    private func findings(
        _ repository: TemporaryRepository, opensModels: Bool = false, closed: Set<String> = [],
        _ backend: any Backend = StubBackend(name: "stub"), willOpen: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> [String] {
        let clock = SystemClock()
        let loader = ModelLoader(
            repository: try ModelRepositoryReader(paths: [repository.path]),
            backends: ["stub": backend],
            completion: .init(), warmsUp: false, budget: .detected(),
            environment: ExecutionEnvironment(
                clock: clock, timer: DeadlineTimer(clock: clock),
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
        var options = RepositoryLint.Options()
        options.opensModels = opensModels
        options.closed = closed
        options.willOpen = willOpen
        return try RepositoryLint(loader, options).findings().map {
            "\($0.model) \($0.severity.rawValue) \($0.text)"
        }
    }

    private static let tensors = """
        backend: "stub"
        input { name: "A" data_type: TYPE_FP32 dims: 4 }
        output { name: "B" data_type: TYPE_FP32 dims: 4 label_filename: "labels.txt" }

        """

    @Test func nothingToSay() throws {
        let repository = try TemporaryRepository()
        try repository.folder("good/1")
        try repository.file("good/config.pbtxt", Self.tensors)
        try repository.file("good/labels.txt", "a\nb\nc\nd\n")
        #expect(try findings(repository) == [])
    }

    @Test func everyComplaintOfEveryModel() throws {
        let repository = try TemporaryRepository()
        try repository.folder("first/1")
        try repository.file("first/config.pbtxt", "max_batch_size: many\nnosuch: 1\n")
        try repository.folder("second/1")
        try repository.file("second/config.pbtxt", Self.tensors + "dynamic_batching { }")
        try repository.file("second/labels.txt", "a\n")
        let found = try findings(repository)
        #expect(found.count == 3, "\(found)")
        #expect(found[0].contains("config.pbtxt:1:17: error: max_batch_size"))
        #expect(found[1].contains("config.pbtxt:2:"))
        #expect(found[2].contains("second warning dynamic_batching batches nothing"))
    }

    @Test func whatCanNotWorkTogether() throws {
        let repository = try TemporaryRepository()
        try repository.folder("late/1")
        try repository.file("late/labels.txt", "a\nb\nc\nd\n")
        try repository.file(
            "late/config.pbtxt",
            Self.tensors
                + """
                max_batch_size: 8
                dynamic_batching {
                  preferred_batch_size: 4
                  max_queue_delay_microseconds: 1000
                  default_queue_policy { default_timeout_microseconds: 500 }
                }
                """)
        let found = try findings(repository)
        #expect(found.count == 2, "\(found)")
        #expect(found[0].contains("one that waits alone never runs"))
        #expect(found[1].contains("end at the preferred size 4"))
    }

    @Test func ensembles() throws {
        let repository = try TemporaryRepository()
        func ensemble(_ step: String) -> String {
            """
            platform: "ensemble"
            input { name: "A" data_type: TYPE_FP32 dims: 4 }
            output { name: "B" data_type: TYPE_FP32 dims: 4 }
            ensemble_scheduling { step { model_name: "\(step)" input_map { key: "A" value: "A" }
              output_map { key: "B" value: "B" } } }
            """
        }
        for (name, step) in [("fine", "step"), ("missing", "nosuch"), ("one", "two"), ("two", "one")] {
            try repository.folder("\(name)/1")
            try repository.file("\(name)/config.pbtxt", ensemble(step))
        }
        try repository.folder("step/1")
        try repository.file("step/labels.txt", "a\nb\nc\nd\n")
        try repository.file("step/config.pbtxt", Self.tensors)
        let found = try findings(repository)
        #expect(
            found == [
                "missing error ensemble missing contains models that are not available: nosuch",
                "one error circular dependency between ensembles: one -> two -> one",
                "two error circular dependency between ensembles: two -> one -> two",
            ])
    }

    @Test func everythingOfAnEnsemble() throws {
        let repository = try TemporaryRepository()
        try repository.folder("step/1")
        try repository.file("step/labels.txt", "a\nb\nc\nd\n")
        try repository.file("step/config.pbtxt", Self.tensors)
        try repository.folder("bad/1")
        try repository.file(
            "bad/config.pbtxt",
            """
            platform: "ensemble"
            input [ { name: "IN" data_type: TYPE_INT8 dims: 4 }, { name: "IDLE" data_type: TYPE_INT8 dims: 4 } ]
            output { name: "OUT" data_type: TYPE_FP32 dims: 4 }
            ensemble_scheduling { step [
              { model_name: "step" model_version: 7
                input_map { key: "A" value: "IN" } output_map { key: "B" value: "X" } },
              { model_name: "nosuch" input_map { key: "A" value: "X" } output_map { key: "B" value: "OUT" } } ] }
            """)
        let found = try findings(repository)
        for part in [
            "ensemble input 'IDLE'", "not available: nosuch", "needs version 7 of model 'step', which serves 1",
            "inconsistent data type",
        ] {
            #expect(found.contains { $0.contains(part) }, "\(part) in \(found)")
        }
        #expect(found.count == 4, "\(found)")
    }

    @Test func whatOnlyALoadWouldFind() throws {
        let repository = try TemporaryRepository()
        try repository.folder("ragged/1")
        try repository.file("ragged/labels.txt", "a\nb\nc\nd\n")
        try repository.file(
            "ragged/config.pbtxt",
            Self.tensors
                + """
                max_batch_size: 4
                batch_input { kind: BATCH_ELEMENT_COUNT target_name: "N" data_type: TYPE_FP32 source_input: "AA" }
                parameters { key: "execution_timeout_microseconds" value { string_value: "soon" } }
                """)
        try repository.folder("queue/1")
        try repository.file("queue/labels.txt", "a\nb\nc\nd\n")
        try repository.file(
            "queue/config.pbtxt",
            Self.tensors
                + """
                max_batch_size: 8
                dynamic_batching { priority_levels: 2 default_priority_level: 1
                  priority_queue_policy { key: 2 value { max_queue_size: 3 } } }
                """)
        try repository.folder("sequence/1")
        try repository.folder("sequence/initial_state")
        try repository.file("sequence/initial_state/zero", "123")
        try repository.file("sequence/labels.txt", "a\nb\nc\nd\n")
        try repository.file(
            "sequence/config.pbtxt",
            Self.tensors
                + """
                max_batch_size: 8
                sequence_batching { oldest { max_candidate_sequences: 2 preferred_batch_size: 4 }
                  state { input_name: "S" output_name: "T" data_type: TYPE_FP32 dims: 1
                          initial_state { name: "zero" data_type: TYPE_FP32 dims: 1 data_file: "zero" } } }
                """)
        let found = try findings(repository)
        for part in [
            "ragged error unknown source input name 'AA'",
            "ragged error model 'ragged': the parameter 'execution_timeout",
            "queue warning priority_queue_policy of level 2", "sequence warning sequence_batching.oldest",
            "sequence error model 'sequence', the initial state of 'S': its file has 3 bytes",
        ] {
            #expect(found.contains { $0.hasPrefix(part) }, "\(part) in \(found)")
        }
        #expect(found.count == 5, "\(found)")
    }

    // MARK: Opened models

    private func repository(_ more: String = "") throws -> TemporaryRepository {
        let repository = try TemporaryRepository()
        try repository.folder("m/1")
        try repository.file("m/labels.txt", "a\nb\nc\nd\n")
        try repository.file("m/config.pbtxt", Self.tensors + more)
        return repository
    }

    @Test func `A model that only a load would refuse is refused`() throws {
        let backend = ScriptedBackend(name: "stub", script: ScriptedBackend.echo(["A": "B"]))
        let repository = try repository()
        #expect(try findings(repository, opensModels: true, backend) == [])
        backend.refusal.withLock { $0 = HalcyonError(.unavailable, "there is no execution provider 'cuda'") }
        #expect(
            try findings(repository, opensModels: true, backend) == ["m error there is no execution provider 'cuda'"])
        #expect(try findings(repository, opensModels: false, backend) == [])
    }

    @Test func `A decoupled model whose backend answers once is refused`() throws {
        let found = try findings(
            try repository("model_transaction_policy { decoupled: true }"), opensModels: true,
            ScriptedBackend(name: "stub", script: ScriptedBackend.echo(["A": "B"])))
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains("is decoupled, and its backend answers every request exactly once") == true)
    }

    @Test func `A sample of a warm-up that the model can't take is an error`() throws {
        let sample = """
            model_warmup {
              name: "s" batch_size: 1 inputs { key: "A" value { data_type: TYPE_FP32 dims: 4 zero_data: true } }
            }
            """
        let found = try findings(
            try repository(sample), opensModels: true,
            ScriptedBackend(name: "stub") { _, _ in throw HalcyonError(.invalidArgument, "divides by zero") })
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains("divides by zero") == true)
    }

    @Test func `What the model says of its tensors is compared`() throws {
        let signature = ModelSignature(
            inputs: [.init(name: "A", elementType: .int32, shape: [4])],
            outputs: [.init(name: "B", elementType: .fp32, shape: [4])])
        let found = try findings(
            try repository(), opensModels: true,
            ScriptedBackend(name: "stub", signature: signature, script: ScriptedBackend.echo(["A": "B"])))
        #expect(found.contains { $0.hasPrefix("m error") && $0.contains("'A'") }, "\(found)")
    }

    @Test func `A model whose engine is not there has a note that says what was not checked`() throws {
        let found = try findings(
            try repository(), opensModels: true, StubBackend(name: "stub", isInstalled: false))
        #expect(found.count == 1, "\(found)")
        #expect(
            found.first?.hasPrefix("m note the model was not opened, as the engine 'stub' is not on this machine")
                == true)
    }

    @Test func `Each model is named before it is opened, and a closed one is taken at its word`() throws {
        let opened = Locked<[String]>([])
        let backend = ScriptedBackend(name: "stub", script: ScriptedBackend.echo(["A": "B"]))
        let repository = try repository()
        _ = try findings(repository, opensModels: true, backend) { key in opened.withLock { $0.append(key) } }
        #expect(opened.withLock { $0 } == ["m", "m"])
        #expect(backend.openedVersions == [1, 1])
        _ = try findings(repository, opensModels: true, closed: ["m"], backend)
        #expect(backend.openedVersions == [1, 1])
    }
}
