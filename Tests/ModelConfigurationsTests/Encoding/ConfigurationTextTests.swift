import Testing

@testable import ModelConfigurations

@Suite("A configuration as text")
struct ConfigurationTextTests {
    private static let texts = [
        "backend: \"x\" max_batch_size: 8 input { name: \"A\" data_type: TYPE_FP32 dims: [ -1, 2 ] format: "
            + "FORMAT_NONE }",
        "version_policy { all { } }",
        "version_policy { specific { versions: [ 1, 5 ] } }",
        "version_policy { latest { num_versions: 3 } }",
        """
        max_batch_size: 4
        dynamic_batching {
          preferred_batch_size: [ 2, 4 ] max_queue_delay_microseconds: 100 priority_levels: 2 default_priority_level: 1
          default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 5000000000 max_queue_size: 9 }
          priority_queue_policy { key: 2 value { max_queue_size: 7 allow_timeout_override: true } }
        }
        instance_group [ { name: "g" count: 3 kind: KIND_CPU } ]
        parameters { key: "quote \\" and \\\\" value { string_value: "line\\nbreak" } }
        metric_tags { key: "a" value: "b" }
        optimization { eager_batching: true }
        default_model_filename: "m.onnx"
        """,
        """
        max_batch_size: 2
        input { name: "A" data_type: TYPE_STRING dims: 4 reshape { shape: [ 2, 2 ] } optional: true }
        output { name: "B" data_type: TYPE_FP32 dims: 1 reshape { shape: [ ] } label_filename: "l.txt" }
        response_cache { enable: true }
        model_warmup [
          { name: "w" batch_size: 2 count: 3
            inputs { key: "A" value { data_type: TYPE_STRING dims: 4 zero_data: true } } },
          { name: "f" inputs { key: "A" value { data_type: TYPE_STRING dims: 4 input_data_file: "x" } } }
        ]
        """,
        """
        platform: "ensemble"
        ensemble_scheduling {
          max_inflight_requests: 4
          step { model_name: "m" model_version: 3 input_map { key: "A" value: "B" } output_map { key: "C" value: "D" } }
        }
        """,
        "model_transaction_policy { decoupled: true }",
        """
        instance_group { kind: KIND_GPU gpus: [ 1, 0 ] }
        optimization {
          execution_accelerators {
            gpu_execution_accelerator [
              { name: "tensorrt" parameters { key: "precision_mode" value: "FP16" } }, { name: "cuda" }
            ]
            cpu_execution_accelerator { name: "openvino" }
          }
        }
        """,
        """
        model_metrics {
          metric_control {
            metric_identifier { family: "nv_inference_first_response_histogram_ms" }
            histogram_options { buckets: [ 0.5, 1, 2.25 ] }
          }
        }
        """,
        """
        max_batch_size: 4
        input { name: "A" data_type: TYPE_FP32 dims: -1 allow_ragged_batch: true }
        output { name: "B" data_type: TYPE_FP32 dims: -1 }
        batch_input {
          kind: BATCH_ACCUMULATED_ELEMENT_COUNT target_name: [ "I", "J" ] data_type: TYPE_INT32 source_input: "A"
        }
        batch_output { kind: BATCH_SCATTER_WITH_INPUT_SHAPE target_name: "B" source_input: "A" }
        instance_group {
          count: 2
          rate_limiter { priority: 3 resources [ { name: "R" count: 2 }, { name: "S" global: true count: 1 } ] }
        }
        """,
        """
        max_batch_size: 8
        sequence_batching {
          oldest { max_candidate_sequences: 4 preferred_batch_size: [ 2 ] max_queue_delay_microseconds: 7 }
          max_sequence_idle_microseconds: 9
          control_input { name: "S" control { kind: CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ] } }
          control_input { name: "R" control { kind: CONTROL_SEQUENCE_READY bool_false_true: [ false, true ] } }
          control_input { name: "I" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_STRING } }
          state { input_name: "i" output_name: "o" data_type: TYPE_FP32 dims: -1
                  initial_state { data_type: TYPE_FP32 dims: 2 data_file: "f" name: "n" } }
        }
        """,
        "max_batch_size: 8 sequence_batching { direct { minimum_slot_utilization: 0.5 } }",
    ]

    @Test("It reads back as the same", arguments: texts)
    func roundTrip(text: String) throws {
        let outcome = read(text)
        let configuration = try #require(outcome.configuration, "\(outcome.diagnostics)")
        let printed = ConfigurationText.lines(of: configuration).map(\.text).joined(separator: "\n")
        let again = read(printed)
        #expect(again.configuration == configuration, "\(printed)\n\(again.diagnostics)")
    }

    @Test("Every line says which field it shows")
    func paths() throws {
        let configuration = try #require(
            read(
                "input { name: \"A\" data_type: TYPE_INT8 dims: [ 1, 2 ] } parameters { key: \"k\" value { "
                    + "string_value: \"v\" } }"
            )
            .configuration)
        let lines = ConfigurationText.lines(of: configuration)
        #expect(lines.contains(.init(text: "  dims: [ 1, 2 ]", path: "input[0].dims")))
        #expect(lines.contains(.init(text: "    string_value: \"v\"", path: "parameters[k].string_value")))
    }

    @Test("Fields are found where they are written")
    func positions() {
        let text =
            "max_batch_size: 8\ninput {\n  name: \"A\"\n  dims: [ 1 ]\n}\nparameters { key: \"k\" value { "
            + "string_value: \"v\" } }\n"
        let positions = FieldPositions.read(Array(text.utf8), file: "config.pbtxt")
        #expect(positions["max_batch_size"]?.line == 1)
        #expect(positions["input[0].name"]?.line == 3)
        #expect(positions["input[0].dims"]?.line == 4)
        #expect(positions["parameters[k].string_value"]?.line == 6)
        #expect(positions["output[0].name"] == nil)
    }
}
