import ModelConfigurations
import Tensors
import Testing

struct ConfigurationCompletionTests {
    private func complete(
        _ configuration: ModelConfiguration, _ signature: ModelSignature? = SimpleModel.signature,
        _ options: ConfigurationCompletion.Options = .init()
    ) throws -> ModelConfiguration {
        try ConfigurationCompletion.complete(configuration, signature: signature, options: options)
    }

    private func message(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? HalcyonError)?.message
        }
    }

    private func signature(_ inputs: [TensorShape?], _ outputs: [TensorShape?]) -> ModelSignature {
        ModelSignature(
            inputs: inputs.enumerated().map { SimpleModel.port("IN\($0)", .fp32, $1) },
            outputs: outputs.enumerated().map { SimpleModel.port("OUT\($0)", .fp32, $1) })
    }

    // MARK: From the model

    @Test func `An empty configuration takes everything from the model`() throws {
        let complete = try complete(ModelConfiguration(name: "m"))
        #expect(complete.inputs == [SimpleModel.tensor("INPUT0"), SimpleModel.tensor("INPUT1")])
        #expect(complete.outputs == [SimpleModel.tensor("OUTPUT0"), SimpleModel.tensor("OUTPUT1")])
        #expect(complete.maxBatchSize == 4)
        #expect(complete.dynamicBatching?.preferredBatchSizes == [4])
        #expect(complete.instanceGroups == [InstanceGroup(name: "m", kind: .cpu, count: 1)])
    }

    @Test func `A configuration with inputs and outputs takes nothing from the model`() throws {
        var configuration = SimpleModel.configuration
        #expect(try complete(configuration).dynamicBatching == nil)
        configuration.maxBatchSize = 0
        let complete = try complete(configuration)
        #expect(complete.maxBatchSize == 0)
        #expect(complete.inputs == configuration.inputs)
    }

    @Test func `A missing list is taken over and the other one stays`() throws {
        var configuration = SimpleModel.configuration
        configuration.outputs = [
            TensorConfiguration(name: "OUTPUT1", elementType: .int32, dimensions: [16], labelFilename: "labels.txt")
        ]
        configuration.inputs = []
        let complete = try complete(configuration)
        #expect(complete.inputs == SimpleModel.configuration.inputs)
        #expect(complete.outputs == configuration.outputs)
    }

    @Test func `A maximum batch size that is given stays, and gets a dynamic batcher`() throws {
        var configuration = ModelConfiguration(name: "m")
        configuration.maxBatchSize = 8
        #expect(try complete(configuration).maxBatchSize == 8)
        #expect(try complete(configuration).dynamicBatching?.preferredBatchSizes == [8])
        configuration.maxBatchSize = 1
        #expect(try complete(configuration).dynamicBatching == nil)
    }

    @Test func `A dynamic batcher that is given stays`() throws {
        var configuration = ModelConfiguration(name: "m")
        configuration.dynamicBatching = DynamicBatching(preferredBatchSizes: [2], maxQueueDelayMicroseconds: 7)
        #expect(try complete(configuration).dynamicBatching == configuration.dynamicBatching)
    }

    @Test(arguments: [(0, 0), (-3, 0), (1, 1), (16, 16)])
    func `The default maximum batch size is an option`(option: Int, expected: Int) throws {
        let complete = try complete(
            ModelConfiguration(name: "m"), SimpleModel.signature, .init(defaultMaxBatchSize: option))
        #expect(complete.maxBatchSize == expected)
        #expect((complete.dynamicBatching != nil) == (expected > 1))
        #expect(complete.inputs.first?.dimensions == (expected > 0 ? [16] : [-1, 16]))
    }

    @Test(
        arguments: [
            ([[1, 3]], [[-1, 3]]), ([[-1, 3]], [[1, 3]]), ([[-1, 3], [3]], [[-1, 3]]), ([[-1, 3]], [[]]),
        ] as [([TensorShape], [TensorShape])])
    func `A model batches only if all of its tensors begin with an open dimension`(
        inputs: [TensorShape], outputs: [TensorShape]
    ) throws {
        let complete = try complete(ModelConfiguration(name: "m"), signature(inputs, outputs))
        #expect(complete.maxBatchSize == 0)
        #expect(complete.dynamicBatching == nil)
        #expect(complete.inputs.map(\.modelDimensions) == inputs)
        #expect(complete.outputs.map(\.modelDimensions) == outputs)
    }

    @Test func `A tensor of one number an item has one dimension for clients`() throws {
        let complete = try complete(ModelConfiguration(name: "m"), signature([[-1, 3]], [[-1]]))
        #expect(complete.maxBatchSize == 4)
        #expect(complete.outputs.map(\.dimensions) == [[1]])
        #expect(complete.outputs.map(\.modelDimensions) == [[]])
    }

    @Test func `Tensors that the file names with all of the model's dimensions are not batched`() throws {
        var configuration = ModelConfiguration(name: "m")
        configuration.inputs = [
            SimpleModel.tensor("INPUT0", .int32, [-1, 16]), SimpleModel.tensor("INPUT1", .int32, [-1, 16]),
        ]
        let complete = try complete(configuration)
        #expect(complete.maxBatchSize == 0)
        #expect(complete.outputs.map(\.dimensions) == [[-1, 16], [-1, 16]])
    }

    // MARK: Errors

    @Test func `Batches that the model can't take are an error in Triton's words`() {
        var configuration = ModelConfiguration(name: "m")
        configuration.maxBatchSize = 8
        let message = message { _ = try complete(configuration, signature([[-1, 3]], [[2, 3]])) }
        #expect(
            message
                == "autofill failed for model 'm': model does not support batching while non-zero max_batch_size is "
                + "specified; 'OUT0' has the shape [2,3]")
    }

    @Test func `A model that does not say how many dimensions a tensor has names the tensors`() {
        let signature = signature([[-1, 3]], [nil, [-1], nil])
        for size in [0, 8] {
            var configuration = ModelConfiguration(name: "m")
            configuration.maxBatchSize = size
            #expect(
                message { _ = try complete(configuration, signature) }
                    == "model 'm' does not say how many dimensions its output 'OUT0', 'OUT2' has: name all outputs "
                    + "with their dims in config.pbtxt")
        }
    }

    @Test func `Missing inputs and outputs are an error with the reason`() {
        let empty = ModelConfiguration(name: "m")
        let start = "model 'm' must specify input and output in config.pbtxt: "
        #expect(message { _ = try complete(empty, nil) } == start + "the model does not describe its own tensors")
        #expect(
            message { _ = try complete(empty, SimpleModel.signature, .init(isEnabled: false)) }
                == start + "configurations are not completed from the model")
        #expect(
            message { _ = try complete(empty, ModelSignature(inputs: [], outputs: [])) }
                == start + "the model itself has none")
        var configuration = SimpleModel.configuration
        configuration.outputs = []
        #expect(
            message { _ = try complete(configuration, nil) }
                == "model 'simple' must specify output in config.pbtxt: the model does not describe its own tensors")
    }

    @Test func `A preferred batch size over a maximum that was filled in is an error`() {
        var configuration = ModelConfiguration(name: "m")
        configuration.dynamicBatching = DynamicBatching(preferredBatchSizes: [2, 8])
        #expect(
            message { _ = try complete(configuration) }
                == "dynamic batching preferred size must be <= max batch size for m: preferred_batch_size has 8, "
                + "max_batch_size is 4")
        configuration.dynamicBatching = DynamicBatching(preferredBatchSizes: [2, 4])
        #expect(message { _ = try complete(configuration) } == nil)
        configuration = SimpleModel.configuration
        configuration.maxBatchSize = 0
        configuration.dynamicBatching = DynamicBatching(preferredBatchSizes: [1])
        #expect(message { _ = try complete(configuration) }?.hasSuffix("max_batch_size is 0") == true)
    }

    // MARK: Defaults

    @Test func `Defaults are filled in without a signature and with completion switched off`() throws {
        var configuration = SimpleModel.configuration
        configuration.dynamicBatching = DynamicBatching()
        configuration.instanceGroups = [
            InstanceGroup(kind: .auto, count: 2), InstanceGroup(name: "own", kind: .model), InstanceGroup(kind: .gpu),
        ]
        for signature in [nil, SimpleModel.signature] {
            let complete = try complete(configuration, signature, .init(isEnabled: false))
            #expect(complete.dynamicBatching?.preferredBatchSizes == [8])
            #expect(complete.instanceGroups.map(\.name) == ["simple_0", "own", "simple_2"])
            #expect(complete.instanceGroups.map(\.kind) == [.cpu, .model, .gpu])
            #expect(complete.instanceGroups.map(\.count) == [2, 1, 1])
        }
    }

    @Test func `Completing a complete configuration changes nothing`() throws {
        let once = try complete(ModelConfiguration(name: "m"))
        #expect(try complete(once) == once)
    }
}
