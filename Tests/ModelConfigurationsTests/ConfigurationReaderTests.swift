import Tensors
import Testing

@testable import ModelConfigurations

/// The reader's outcome for a text.
func read(_ text: String, name: String = "m") -> ConfigurationReader.Outcome {
    ConfigurationReader.read(Array(text.utf8), file: "config.pbtxt", modelName: name)
}

@Suite("Configuration reader")
struct ConfigurationReaderTests {
    @Test("A whole configuration")
    func whole() throws {
        let text = #"""
            # A comment.
            name: "m" platform: 'onnxruntime_onnx'
            max_batch_size: 0x10;
            input [ { name: "A" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 3, -1, 07 ] } ]
            input < name: "B" data_type: TYPE_STRING dims: 1 dims: 2 >
            output { name: "C" "D" data_type: TYPE_BF16 dims: [ 1 ] label_filename: "labels\x2etxt" }
            instance_group: [ { count: 2 kind: KIND_CPU }, { name: "second" kind: KIND_MODEL } ]
            default_model_filename: "net.onnx"
            version_policy { specific { versions: [ 3, 1 ] } }
            parameters { key: "K" value: { string_value: "V" } }
            parameters { key: "L" value { string_value: "W" } }
            optimization { eager_batching: true input_pinned_memory { enable: true } }
            dynamic_batching {
              preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100
              priority_levels: 2 default_priority_level: 1
              default_queue_policy {
                timeout_action: DELAY default_timeout_microseconds: 5 allow_timeout_override: t max_queue_size: 9
              }
              priority_queue_policy { key: 2 value: { max_queue_size: 3 } }
            }
            """#
        let outcome = read(text)
        #expect(outcome.diagnostics.isEmpty, "\(outcome.diagnostics)")
        let configuration = try #require(outcome.configuration)
        #expect(configuration.platform == "onnxruntime_onnx" && configuration.maxBatchSize == 16)
        #expect(
            configuration.inputs == [
                TensorConfiguration(name: "A", elementType: .fp32, dimensions: [3, -1, 7], format: .nchw),
                TensorConfiguration(name: "B", elementType: .bytes, dimensions: [1, 2]),
            ])
        #expect(
            configuration.outputs == [
                TensorConfiguration(name: "CD", elementType: .bf16, dimensions: [1], labelFilename: "labels.txt")
            ])
        #expect(
            configuration.instanceGroups == [
                InstanceGroup(kind: .cpu, count: 2), InstanceGroup(name: "second", kind: .model),
            ])
        #expect(configuration.versionPolicy == .specific([3, 1]))
        #expect(configuration.parameters == ["K": "V", "L": "W"])
        #expect(configuration.optimization.eagerBatching && configuration.defaultModelFilename == "net.onnx")
        let batching = try #require(configuration.dynamicBatching)
        #expect(batching.preferredBatchSizes == [4, 8] && batching.maxQueueDelayMicroseconds == 100)
        #expect(
            batching.defaultQueuePolicy
                == QueuePolicy(
                    timeoutAction: .delay, defaultTimeoutMicroseconds: 5, allowTimeoutOverride: true, maxQueueSize: 9))
        #expect(batching.priorityQueuePolicies == [2: QueuePolicy(maxQueueSize: 3)])
    }

    @Test("All faults of a file at once, each with its place, its field and a hint")
    func allAtOnce() {
        let text = """
            max_batch_size: eight
            max_batch_sise: 3
            input [ { name: "A" data_type: TYPE_FP33 dims: [ 0 ] } ]
            dynamic_batching { preferred_batch_size: [ 4, x ] preserve_ordering: maybe }
            instance_group [ { count: -1 } ]
            sequence_batching { }
            """
        let outcome = read(text)
        #expect(outcome.configuration == nil)
        let seen = outcome.diagnostics.map(\.description)
        let expected = [
            "config.pbtxt:1:17: error: max_batch_size: Expected integer, got: eight",
            "config.pbtxt:2:1: error: max_batch_sise: Message type \"inference.ModelConfig\" has no field named "
                + "\"max_batch_sise\". (did you mean 'max_batch_size'?)",
            "config.pbtxt:3:32: error: input[0].data_type: Unknown enumeration value of \"TYPE_FP33\" for field "
                + "\"input[0].data_type\". (did you mean 'TYPE_FP32'?)",
            "config.pbtxt:4:47: error: dynamic_batching.preferred_batch_size[1]: Expected integer, got: x",
        ]
        for line in expected { #expect(seen.contains(line), "\(seen)") }
        #expect(seen.contains { $0.hasPrefix("config.pbtxt:5:27: error: instance_group[0].count: ") }, "\(seen)")
        #expect(seen.contains { $0.hasPrefix("config.pbtxt:6:1: error: sequence_batching: ") }, "\(seen)")
        #expect(
            seen.contains { $0.hasPrefix("config.pbtxt:4:70: error: dynamic_batching.preserve_ordering: ") }, "\(seen)")
        #expect(seen.count == 7, "one complaint a fault: \(seen)")
        #expect(outcome.diagnostics == outcome.diagnostics.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
    }

    @Test(
        "Faults of the text",
        arguments: [
            ("dynamic_batching {\n", 2, 1, "Expected identifier, got: "),
            ("name \"x\"", 1, 6, "Expected \":\", found \"\"x\"\"."),
            ("name: \"x", 1, 7, "Expected string, got: Unexpected end of string"),
            ("name: \"\\q\"", 1, 7, "Expected string, got: Invalid escape sequence in string literal"),
            ("name: \"\\xff\"", 1, 7, "the string is not valid UTF-8"),
            ("name: \"m\"\nname: \"m\"", 2, 1, "Non-repeated field \"name\" is specified multiple times."),
            ("max_batch_size: 2147483648", 1, 17, "Integer out of range (2147483648)"),
            ("max_batch_size: -2147483649", 1, 17, "Integer out of range (-2147483649)"),
            ("max_batch_size: 99999999999999999999", 1, 17, "Integer out of range (99999999999999999999)"),
            ("max_batch_size: 1.5", 1, 17, "Expected integer, got: 1.5"),
            ("dynamic_batching { priority_levels: -1 }", 1, 37, "Integer out of range (-1)"),
            (
                "dynamic_batching { } ensemble_scheduling { }", 1, 22,
                "Field \"ensemble_scheduling\" is specified along with field \"dynamic_batching\", another member of "
                    + "oneof \"scheduling_choice\"."
            ),
            ("}", 1, 1, "Expected identifier, got: }"),
            ("input [ { name: \"A\" ] ", 1, 21, "Expected identifier, got: ]"),
            ("\u{7F}", 1, 1, "Expected identifier, got: Invalid character byte 127"),
            ("parameters { keys: \"a\" }", 1, 14, "A map's entry has no field named \"keys\"."),
        ])
    func faults(text: String, line: Int, column: Int, message: String) {
        let found = read(text).diagnostics.contains {
            $0.severity == .error && $0.line == line && $0.column == column && $0.message == message
        }
        #expect(found, "\(read(text).diagnostics)")
    }

    @Test(
        "Values that can't be",
        arguments: [
            (
                "name: \"other\"",
                "unexpected directory name 'm' for model 'other', directory name must equal model name"
            ),
            ("input { name: \"A\" data_type: TYPE_FP32 }", "model input 'A' must specify 'dims' for m"),
            ("input { name: \"A\" dims: 1 }", "model input 'A' must specify 'data_type' for m"),
            ("input { data_type: TYPE_FP32 dims: 1 }", "model input must specify 'name' for m"),
            ("input { name: \"A\" data_type: TYPE_FP32 dims: -2 }", "model input 'A' dimension must be integer >= 1"),
            (
                "input { name: \"A\" data_type: TYPE_FP32 dims: [ 4611686018427387904, 16 ] }",
                "has more elements than fit"
            ),
            (
                "output { name: \"A\" data_type: TYPE_FP32 dims: 1 } output { name: \"A\" data_type: TYPE_FP32 dims: "
                    + "1 }",
                "is specified more than once"
            ),
            (
                "output { name: \"A\" data_type: TYPE_FP32 dims: 1 label_filename: \"/etc/x\" }",
                "is outside model directory"
            ),
            (
                "max_batch_size: 8 dynamic_batching { preferred_batch_size: 9 }",
                "dynamic batching preferred size must be <= max batch size for m"
            ),
            (
                "max_batch_size: 8 dynamic_batching { preferred_batch_size: 0 }",
                "dynamic batching preferred size must be positive for m"
            ),
            (
                "dynamic_batching { priority_levels: 2 default_priority_level: 3 }",
                "default priority level must be in range [1, 2] for m"
            ),
            ("default_model_filename: \"../x\"", "leads out of the version folder"),
            ("version_policy { specific { } }", "names no version"),
            ("instance_group { kind: KIND_CPU gpus: 0 }", "has kind KIND_CPU but specifies one or more GPUs"),
            (
                "optimization { execution_accelerators { gpu_execution_accelerator { } } }",
                "an execution accelerator must specify 'name'"
            ),
            (
                "optimization { execution_accelerators { gpu_execution_accelerator [ { name: \"cuda\" }, { name: "
                    + "\"cuda\" } ] } }",
                "execution accelerator 'cuda' is specified more than once"
            ),
            (
                "dynamic_batching { preserve_ordering: true default_queue_policy { timeout_action: DELAY "
                    + "default_timeout_microseconds: 1 } }",
                "Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true for m"
            ),
            (
                "response_cache { enable: true } sequence_batching { }",
                "Response Cache does not currently support model m with sequence batching scheduler. Please disable "
                    + "the response cache."
            ),
            (
                "sequence_batching { control_input { name: \"A\" control { kind: CONTROL_SEQUENCE_START } } }",
                "sequence batching must specify either 'int32_false_true', 'fp32_false_true' or 'bool_false_true' for "
                    + "CONTROL_SEQUENCE_START for m"
            ),
            (
                "sequence_batching { control_input { name: \"A\" control { kind: CONTROL_SEQUENCE_END "
                    + "int32_false_true: 1 } } }",
                "sequence batching control 'int32_false_true' must have exactly 2 entries for CONTROL_SEQUENCE_END "
                    + "for m"
            ),
            (
                "input { name: \"A\" data_type: TYPE_FP32 dims: [ 1, 2 ] format: FORMAT_NHWC }",
                "model input NHWC/NCHW require 3 dims for m"
            ),
            (
                "input { name: \"A\" data_type: TYPE_FP32 dims: [ -1 ] reshape { shape: [ 1 ] } }",
                "model input 'A' has different number of variable-size dimensions for dims and reshape for m"
            ),
            ("instance_group { count: 2000 }", "instance group count must be 1 to 1024 for m, got 2000"),
        ])
    func values(text: String, message: String) {
        let outcome = read(text)
        #expect(outcome.configuration == nil)
        #expect(outcome.diagnostics.contains { $0.message.contains(message) }, "\(outcome.diagnostics)")
    }

    @Test("Nesting and size have limits")
    func limits() {
        #expect(read(String(repeating: "input {", count: 10_000)).configuration == nil)
        #expect(read(String(repeating: "x: 1\n", count: 10_000)).diagnostics.count == 100)
        let large = ConfigurationReader.read(
            [UInt8](repeating: 0x20, count: ConfigurationReader.maximumByteCount + 1), file: "f", modelName: "m")
        #expect(large.configuration == nil && large.diagnostics.count == 1)
    }

    @Test("Damaged texts give diagnostics inside the file, never a crash")
    func mutations() {
        let source = Array(
            #"""
            name: "m" max_batch_size: 8
            input [ { name: "A" data_type: TYPE_FP32 dims: [ 3, -1 ] } ]
            dynamic_batching {
              preferred_batch_size: [ 4 ] priority_queue_policy { key: 1 value { max_queue_size: 3 } } }
            parameters { key: "a" value: { string_value: "b\n\101" } }
            """#.utf8)
        let lines = source.split(separator: 10, omittingEmptySubsequences: false).count
        var state: UInt64 = 1
        let next = { (limit: Int) -> Int in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        for _ in 0..<5000 {
            var bytes = source
            for _ in 0...next(4) {
                switch next(3) {
                case 0: bytes[next(bytes.count)] = UInt8(next(256))
                case 1: bytes.remove(at: next(bytes.count))
                default: bytes.insert(contentsOf: bytes[next(bytes.count)...].prefix(next(20)), at: next(bytes.count))
                }
            }
            let outcome = ConfigurationReader.read(bytes, file: "f", modelName: "m")
            let count = bytes.split(separator: 10, omittingEmptySubsequences: false).count
            #expect(outcome.diagnostics.allSatisfy { (1...max(lines, count)).contains($0.line) && $0.column >= 1 })
            #expect((outcome.configuration == nil) == outcome.diagnostics.contains { $0.severity == .error })
        }
    }
}
