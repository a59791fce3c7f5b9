import JSONText
import ModelConfigurations
import Tensors
import Testing

@Suite("A configuration as JSON")
struct ModelConfigurationJSONTests {
    @Test("A plain model, key for key as Triton prints it")
    func plain() {
        var configuration = ModelConfiguration(name: "simple")
        configuration.platform = "onnxruntime_onnx"
        configuration.backend = "onnxruntime"
        configuration.maxBatchSize = 8
        configuration.inputs = [TensorConfiguration(name: "IN", elementType: .int32, dimensions: [16])]
        configuration.outputs = [
            TensorConfiguration(name: "OUT", elementType: .bytes, dimensions: [-1], labelFilename: "labels.txt")
        ]
        configuration.dynamicBatching = DynamicBatching(preferredBatchSizes: [8])
        configuration.instanceGroups = [InstanceGroup(name: "simple", kind: .cpu, count: 2)]
        configuration.defaultModelFilename = "model.onnx"
        #expect(
            configuration.jsonValue.compact == """
                {"name":"simple","platform":"onnxruntime_onnx","backend":"onnxruntime","runtime":"",\
                "version_policy":{"latest":{"num_versions":1}},"max_batch_size":8,\
                "input":[{"name":"IN","data_type":"TYPE_INT32","format":"FORMAT_NONE","dims":[16],\
                "is_shape_tensor":false,"allow_ragged_batch":false,"optional":false,"is_non_linear_format_io":false}],\
                "output":[{"name":"OUT","data_type":"TYPE_STRING","dims":[-1],"label_filename":"labels.txt",\
                "is_shape_tensor":false,"is_non_linear_format_io":false}],"batch_input":[],"batch_output":[],\
                "optimization":{"priority":"PRIORITY_DEFAULT","input_pinned_memory":{"enable":true},\
                "output_pinned_memory":{"enable":true},"gather_kernel_buffer_threshold":0,"eager_batching":false},\
                "dynamic_batching":{"preferred_batch_size":[8],"max_queue_delay_microseconds":0,\
                "preserve_ordering":false,"priority_levels":0,"default_priority_level":0,"priority_queue_policy":{}},\
                "instance_group":[{"name":"simple","kind":"KIND_CPU","count":2,"gpus":[],"secondary_devices":[],\
                "profile":[],"passive":false,"host_policy":""}],"default_model_filename":"model.onnx",\
                "cc_model_filenames":{},"metric_tags":{},"parameters":{},"model_warmup":[]}
                """)
    }

    @Test("An ensemble has nothing to optimise, and says how many responses it gives")
    func ensemble() {
        var configuration = ModelConfiguration(name: "whole")
        configuration.ensemble = EnsembleScheduling(steps: [])
        let text = configuration.jsonValue.compact
        #expect(
            !text.contains("\"optimization\"") && text.contains("\"model_transaction_policy\":{\"decoupled\":false}"))
    }

    @Test("Policies, priorities and parameters")
    func everything() throws {
        var configuration = ModelConfiguration(name: "m")
        configuration.versionPolicy = .specific([2, 7])
        configuration.parameters = ["B": "2", "A": "1"]
        configuration.optimization.eagerBatching = true
        configuration.dynamicBatching = DynamicBatching(
            maxQueueDelayMicroseconds: 100, priorityLevels: 2, defaultPriorityLevel: 1,
            defaultQueuePolicy: QueuePolicy(timeoutAction: .delay, maxQueueSize: 5),
            priorityQueuePolicies: [2: QueuePolicy(defaultTimeoutMicroseconds: 9, allowTimeoutOverride: true)])
        let text = configuration.jsonValue.compact
        #expect(text.contains(#""version_policy":{"specific":{"versions":[2,7]}}"#))
        #expect(text.contains(#""parameters":{"A":{"string_value":"1"},"B":{"string_value":"2"}}"#))
        #expect(text.contains(#""eager_batching":true"#))
        #expect(
            text.contains(
                #""default_queue_policy":{"timeout_action":"DELAY","default_timeout_microseconds":0,"#
                    + #""allow_timeout_override":false,"max_queue_size":5}"#))
        #expect(
            text.contains(
                #""priority_queue_policy":{"2":{"timeout_action":"REJECT","default_timeout_microseconds":9,"#
                    + #""allow_timeout_override":true,"max_queue_size":0}}"#))
        configuration.versionPolicy = .all
        #expect(configuration.jsonValue.compact.contains(#""version_policy":{"all":{}}"#))
    }
}
