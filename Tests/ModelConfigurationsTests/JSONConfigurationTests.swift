import JSONText
import ModelConfigurations
import Tensors
import Testing

@Suite("Configurations in JSON")
struct JSONConfigurationTests {
    private func read(_ text: String) -> ConfigurationReader.Outcome {
        ConfigurationReader.read(Array(text.utf8), file: "request", modelName: "m", form: .json)
    }

    @Test("What is printed reads back as the same")
    func roundTrip() throws {
        let text = """
            max_batch_size: 8
            backend: "identity"
            input [ { name: "IN" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 3, -1, 2 ] } ]
            output [ { name: "OUT" data_type: TYPE_STRING dims: [ 1 ] label_filename: "labels.txt" } ]
            instance_group [ { count: 2 kind: KIND_CPU } ]
            version_policy { specific { versions: [ 2, 7 ] } }
            dynamic_batching {
              preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 priority_levels: 2
              default_priority_level: 1 default_queue_policy { max_queue_size: 5 timeout_action: DELAY }
              priority_queue_policy { key: 2 value { default_timeout_microseconds: 9 } }
            }
            parameters { key: "A" value { string_value: "1" } }
            """
        let outcome = ConfigurationReader.read(Array(text.utf8), file: "config.pbtxt", modelName: "m")
        let written = try #require(outcome.configuration)
        let again = read(written.jsonValue.pretty)
        #expect(again.diagnostics.map(\.description) == [])
        #expect(again.configuration == written)
    }

    @Test("Numbers may be text, and null is nothing")
    func leniency() throws {
        let outcome = read(
            #"{"max_batch_size": 2,"platform": null,"input": [{"name": "I", "data_type": "TYPE_INT8","dims": ["-1"]}]}"#
        )
        #expect(outcome.diagnostics.map(\.description) == [])
        #expect(outcome.configuration?.inputs.first?.dimensions == [-1])
    }

    @Test("One value stands for a list of one, wherever there is a list")
    func one() throws {
        let many = read(
            """
            {"input": [{"name": "I", "data_type": "TYPE_FP32", "dims": [4]}],
             "output": [{"name": "O", "data_type": "TYPE_FP32", "dims": [4]}],
             "instance_group": [{"count": 2, "kind": "KIND_CPU"}],
             "dynamic_batching": {"preferred_batch_size": [8]}, "max_batch_size": 8,
             "version_policy": {"specific": {"versions": [3]}}}
            """)
        let single = read(
            """
            {"input": {"name": "I", "data_type": "TYPE_FP32", "dims": "4"},
             "output": {"name": "O", "data_type": "TYPE_FP32", "dims": 4},
             "instance_group": {"count": 2, "kind": "KIND_CPU"},
             "dynamic_batching": {"preferred_batch_size": 8}, "max_batch_size": 8,
             "version_policy": {"specific": {"versions": 3}}}
            """)
        #expect(single.diagnostics.map(\.description) == [])
        #expect(single.configuration == many.configuration && many.configuration?.instanceGroups.first?.count == 2)
    }

    @Test(
        "Faults have their place",
        arguments: [
            ("{\n  \"max_batchsize\": 1}", 2, 20, "did you mean 'max_batch_size'?"),
            ("{\"max_batch_size\": \"x\"}", 1, 20, "expected a whole number"),
            ("{\"max_batch_size\": 99999999999}", 1, 20, "expected a whole number"),
            ("{\"name\": 1}", 1, 10, "expected a string, got a number"),
            ("{\"input\": 1}", 1, 11, "expected a list, got a number"),
            ("{\"input\": [[]]}", 1, 12, "expected an object, got a list"),
            ("{\"input\": [{\"data_type\": \"TYPE_FP33\"}]}", 1, 26, "TYPE_FP3"),
            ("{\"dynamic_batching\": {}, \"ensemble_scheduling\": {}}", 1, 49, "another member of oneof"),
            ("{\"name\": \"m\" 1}", 1, 14, "Missing a comma"), ("[]", 1, 1, "expected an object"), ("", 1, 1, "empty"),
        ])
    func faults(text: String, line: Int, column: Int, message: String) throws {
        let outcome = read(text)
        #expect(outcome.configuration == nil)
        let found = outcome.diagnostics.first { $0.description.contains(message) }
        let diagnostic = try #require(found, "\(outcome.diagnostics.map(\.description))")
        #expect(diagnostic.line == line && diagnostic.column == column, "\(diagnostic)")
    }
}
