import ConfigurationSearch
import Testing

@Suite("Changes to a configuration's text")
struct ConfigurationEditTests {
    private func edited(
        _ text: String, engine: String = "openvino", maxBatchSize: Int = 8,
        from change: (inout Setting) -> Void = { _ in },
        to other: (inout Setting) -> Void
    ) -> String {
        var present = Setting()
        change(&present)
        var setting = present
        other(&setting)
        var edit = ConfigurationEdit(text)
        edit.apply(setting, over: present, engine: engine, maxBatchSize: maxBatchSize)
        return edit.text
    }

    private let text = """
        # A model.
        name: "m" # its name
        max_batch_size: 8

        # Instances, side by side.
        instance_group [ { count: 3 kind: KIND_CPU } ]   # three
        dynamic_batching {
          # Not long.
          max_queue_delay_microseconds: 100
          preferred_batch_size: [ 4, 8 ]
        }
        parameters { key: "X" value { string_value: "}" } }

        """

    @Test("Nothing changes where nothing differs")
    func nothing() { #expect(edited(text) { _ in } == text) }

    @Test("Numbers change in place, and comments stay")
    func inPlace() {
        let result = edited(
            text, from: { ($0.instances, $0.batches, $0.delay, $0.preferredSizes) = (3, true, 100, [4, 8]) }
        ) {
            ($0.instances, $0.delay, $0.preferredSizes) = (2, 500, [8])
        }
        let expected = text
        #expect(
            result
                == replaced(
                    expected,
                    [("count: 3", "count: 2"), ("microseconds: 100", "microseconds: 500"), ("[ 4, 8 ]", "[ 8 ]")]))
        let without = edited(
            text, from: { ($0.instances, $0.batches, $0.delay, $0.preferredSizes) = (3, true, 100, [4, 8]) }
        ) {
            $0.preferredSizes = []
        }
        #expect(without == replaced(text, [("  preferred_batch_size: [ 4, 8 ]\n", "")]))
    }

    private func replaced(_ text: String, _ pairs: [(String, String)]) -> String {
        var text = text
        for (old, new) in pairs {
            guard let range = text.firstRange(of: old) else { continue }
            text.replaceSubrange(range, with: new)
        }
        return text
    }

    @Test("Batching that is turned off becomes a comment")
    func off() {
        let result = edited(text, from: { ($0.instances, $0.batches, $0.delay) = (3, true, 100) }) {
            $0.batches = false
        }
        #expect(
            result.contains(
                "# dynamic_batching {\n#   # Not long.\n#   max_queue_delay_microseconds: 100\n#   "
                    + "preferred_batch_size: [ 4, 8 ]\n# }\nparameters"
            ))
        let line = edited(
            "max_batch_size: 8 dynamic_batching { } version_policy { all { } }", from: { $0.batches = true }
        ) {
            $0.batches = false
        }
        #expect(line == "max_batch_size: 8 \n# dynamic_batching { }\n version_policy { all { } }")
        #expect(
            edited("name: \"m\"", from: { $0.batches = true }) { $0.batches = false }
                == "name: \"m\"\nmax_batch_size: 8\n")
    }

    @Test("What is missing is added at the end")
    func added() {
        #expect(
            edited("name: \"m\"") {
                ($0.instances, $0.batches, $0.delay, $0.threads, $0.streams, $0.precision) = (
                    2, true, 500, 4, 2, "bf16"
                )
            } == """
                name: "m"
                instance_group [ { count: 2 kind: KIND_CPU } ]
                dynamic_batching { max_queue_delay_microseconds: 500  }
                parameters { key: "INFERENCE_NUM_THREADS" value { string_value: "4" } }
                parameters { key: "NUM_STREAMS" value { string_value: "2" } }
                parameters { key: "INFERENCE_PRECISION_HINT" value { string_value: "bf16" } }

                """)
        #expect(edited("", engine: "onnxruntime") { $0.threads = 2 }.contains("intra_op_thread_count"))
        #expect(
            edited("instance_group { kind: KIND_CPU }") { $0.instances = 2 }
                == "instance_group { count: 2\nkind: KIND_CPU }"
                || edited("instance_group { kind: KIND_CPU }") { $0.instances = 2 }.contains("count: 2"))
    }

    @Test("Several groups become one")
    func groups() {
        let result = edited(
            "instance_group { count: 1 }\ninstance_group { count: 2 }\nname: \"m\"\n", from: { $0.instances = 3 }
        ) {
            $0.instances = 4
        }
        #expect(result == "instance_group [ { count: 4 kind: KIND_CPU } ]\nname: \"m\"\n")
    }

    @Test("Parameters are changed, and taken out, wherever they stand")
    func parameters() {
        let list =
            "parameters [ { key: \"A\" value: { string_value: \"1\" } }, { key: \"NUM_STREAMS\", value { "
            + "string_value: \"2\" } } ]\n"
        #expect(edited(list, from: { $0.streams = 2 }) { $0.streams = 4 } == replaced(list, [("\"2\"", "\"4\"")]))
        #expect(
            edited(list, from: { $0.streams = 2 }) { $0.streams = nil }
                == "parameters [ { key: \"A\" value: { string_value: \"1\" } } ]\n")
        let single = "parameters {\n  key: \"NUM_STREAMS\"\n  value { string_value: \"2\" }\n}\nname: \"m\"\n"
        #expect(edited(single, from: { $0.streams = 2 }) { $0.streams = nil } == "name: \"m\"\n")
    }

    @Test(
        "Texts and comments with braces do not mislead it",
        arguments: [
            "name: \"}{\\\"#\" # }{\ninstance_group < count: 1 >",
            "# instance_group { count: 9 }\ninstance_group: [ { count: 1 } ]",
            "name: 'a' \"b\"; instance_group { count: 1; kind: KIND_CPU }",
        ])
    func braces(text: String) {
        let result = edited(text) { $0.instances = 7 }
        #expect(result == replaced(text, [("count: 1", "count: 7")]))
    }

    @Test("Text that is cut anywhere ends nothing")
    func cut() {
        let bytes = Array(text.utf8)
        for length in 0..<bytes.count {
            _ = edited(String(decoding: bytes[..<length], as: UTF8.self)) {
                ($0.instances, $0.batches, $0.streams) = (2, true, 1)
            }
        }
    }

    @Test("The lines that differ")
    func difference() {
        #expect(
            LineDifference.lines(from: "a\nb\nc\nd\ne\nf\ng\nh\ni", to: "A\nb\nc\nd\ne\nf\ng\nh\ni\nj")
                == ["- a", "+ A", "  b", "  c", "…", "  h", "  i", "+ j"])
        #expect(LineDifference.lines(from: "a", to: "a").isEmpty)
    }
}
