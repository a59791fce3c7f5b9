import ModelConfigurations
import Tensors
import Testing

@Suite("Ragged batches, rate limiters and metrics in a configuration")
struct BatchTensorsTests {
    static let tensors = """
        max_batch_size: 4
        input { name: "A" data_type: TYPE_FP32 dims: -1 allow_ragged_batch: true }
        output { name: "B" data_type: TYPE_FP32 dims: -1 }

        """

    private func messages(_ text: String) -> [String] {
        read(text).diagnostics.map { "\($0.fieldPath): \($0.message)" }
    }

    @Test("Errors name the field", arguments: fieldErrors)
    func errors(text: String, message: String) {
        #expect(messages(text).contains(message), "\(messages(text))")
    }

    private static var configuration: ModelConfiguration {
        var configuration = ModelConfiguration(name: "m")
        configuration.maxBatchSize = 4
        var input = TensorConfiguration(name: "A", elementType: .fp32, dimensions: [-1])
        input.allowsRaggedBatch = true
        configuration.inputs = [input]
        configuration.outputs = [TensorConfiguration(name: "B", elementType: .fp32, dimensions: [-1])]
        configuration.batchInputs = [
            BatchInput(kind: .elementCount, targetNames: ["I"], elementType: .int32, sourceInput: "A"),
            BatchInput(kind: .itemShape, targetNames: ["S"], elementType: .fp32, sourceInput: "A"),
        ]
        configuration.batchOutputs = [BatchOutput(targetNames: ["B"], sourceInput: "A")]
        return configuration
    }

    @Test("The model takes the elements of all requests in one dimension, and what is made beside them")
    func signature() throws {
        var signature = ModelSignature(
            inputs: [
                .init(name: "A", elementType: .fp32, shape: [-1]), .init(name: "I", elementType: .int32, shape: [-1]),
                .init(name: "S", elementType: .fp32, shape: [-1, 1]),
            ],
            outputs: [.init(name: "B", elementType: .fp32, shape: [-1])])
        try ConfigurationCheck.check(Self.configuration, against: signature)
        signature.inputs[2].shape = [-1, 3]
        #expect(throws: HalcyonError.self) { try ConfigurationCheck.check(Self.configuration, against: signature) }
        signature.inputs.removeLast()
        #expect {
            try ConfigurationCheck.check(Self.configuration, against: signature)
        } throws: {
            ($0 as? HalcyonError)?.message.contains("configuration expects 3 inputs, model provides 2") == true
        }
    }

    @Test("Sources and targets are the model's")
    func names() throws {
        try ConfigurationCheck.checkBatchTensors(Self.configuration)
        var wrong = Self.configuration
        wrong.batchInputs[0].sourceInput = "a"
        wrong.batchInputs[1].targetNames = ["A"]
        wrong.batchOutputs[0].targetNames = ["C"]
        wrong.maxBatchSize = 0
        #expect {
            try ConfigurationCheck.checkBatchTensors(wrong)
        } throws: {
            ($0 as? HalcyonError)?.message.split(separator: "\n").count == 4
        }
    }
}

/// Configurations, and what is said of them.
private let fieldErrors: [(String, String)] = [
    (
        BatchTensorsTests.tensors + "batch_input { target_name: \"I\" source_input: \"A\" }",
        "batch_input[0].data_type: batch input data type must be TYPE_INT32 or TYPE_FP32 for m"
    ),
    (
        BatchTensorsTests.tensors
            + "batch_input { data_type: TYPE_INT32 target_name: \"I\" source_input: [ \"A\", \"A\" ] }",
        "batch_input[0].source_input: batch input kind 'BATCH_ELEMENT_COUNT' expects 1 source input, got 2 "
            + "for m"
    ),
    (
        BatchTensorsTests.tensors + "batch_output { source_input: \"A\" }",
        "batch_output[0].target_name: batch output must specify at least one 'target_name' for m"
    ),
    (
        BatchTensorsTests.tensors + "sequence_batching { }",
        "input[0].allow_ragged_batch: input 'A' of a model with sequences can't have allow_ragged_batch for m"
    ),
    (
        "model_metrics { metric_control { metric_identifier { family: \"x\" } histogram_options { buckets: 1 "
            + "} } }",
        "model_metrics.metric_control[0].metric_identifier.family: model metrics can be set for the family "
            + "nv_inference_first_response_histogram_ms only for m, got 'x'"
    ),
    (
        "model_metrics { metric_control { } }",
        "model_metrics.metric_control[0]: metric control must specify 'metric_identifier' for m"
    ),
    (
        "model_metrics { metric_control { metric_identifier { family: \"x\" } } }",
        "model_metrics.metric_control[0]: metric control must specify 'histogram_options' for m"
    ),
    (
        """
        model_metrics {
          metric_control {
            metric_identifier { family: "nv_inference_first_response_histogram_ms" }
            histogram_options { buckets: [ 2, 1 ] }
          }
        }
        """,
        "model_metrics.metric_control[0].histogram_options.buckets: the buckets of a histogram are numbers of "
            + "milliseconds, ascending, for m: 1.0 comes behind 2.0"
    ),
    (
        "instance_group { rate_limiter { resources { count: 1 } } }",
        "instance_group[0].rate_limiter.resources[0].name: a resource of the rate limiter must specify "
            + "'name' for m"
    ),
    (
        "instance_group { rate_limiter { resources [ { name: \"R\" }, { name: \"R\" } ] } }",
        "instance_group[0].rate_limiter.resources[1].name: resource 'R' is specified more than once for m"
    ),
]
