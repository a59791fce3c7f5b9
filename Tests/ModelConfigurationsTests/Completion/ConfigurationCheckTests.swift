import ModelConfigurations
import Tensors
import Testing

struct ConfigurationCheckTests {
    /// What the check says, line by line.
    private func complaints(
        _ change: (inout ModelConfiguration) -> Void, _ signature: ModelSignature = SimpleModel.signature
    ) -> [String] {
        var configuration = SimpleModel.configuration
        change(&configuration)
        do throws(HalcyonError) {
            try ConfigurationCheck.check(configuration, against: signature)
            return []
        } catch {
            #expect(error.code == .invalidArgument)
            return error.message.split(separator: "\n").map(String.init)
        }
    }

    private func signature(input: TensorShape?, output: TensorShape? = [-1, 16]) -> ModelSignature {
        var signature = SimpleModel.signature
        signature.inputs[0].shape = input
        signature.outputs[0].shape = output
        return signature
    }

    @Test func `A configuration that agrees passes, also with outputs left out or in another order`() {
        #expect(complaints { _ in } == [])
        #expect(complaints { $0.outputs.removeFirst() } == [])
        #expect(
            complaints {
                $0.inputs.reverse()
                $0.outputs.reverse()
            } == [])
    }

    @Test func `A missing input is an error that names it`() {
        #expect(
            complaints { $0.inputs.removeLast() } == [
                "unable to load model 'simple', configuration expects 1 inputs, model provides 2; missing: 'INPUT1'"
            ])
    }

    @Test func `Unknown names are errors that list the known ones`() {
        #expect(
            complaints {
                $0.inputs[1].name = "INPUT_1"
                $0.outputs[0].name = "SUM"
            } == [
                "unexpected inference input 'INPUT_1', allowed inputs are: INPUT0, INPUT1; in model 'simple', did "
                    + "you mean 'INPUT1'?",
                "unexpected inference output 'SUM', allowed outputs are: OUTPUT0, OUTPUT1; in model 'simple'",
            ])
    }

    @Test func `All disagreements are told at once`() {
        #expect(
            complaints {
                $0.inputs[0].elementType = .fp32
                $0.inputs[1].dimensions = [15]
                $0.outputs[0].elementType = .bytes
                $0.outputs[1].dimensions = [4, 4]
            } == [
                "unable to load model 'simple', configuration expects datatype TYPE_FP32 for input 'INPUT0', model "
                    + "provides TYPE_INT32",
                "model 'simple', tensor 'INPUT1': the model expects 2 dimensions (shape [-1,16]) but the model "
                    + "configuration specifies 2 dimensions (an initial batch dimension because max_batch_size > 0 "
                    + "followed by the explicit tensor shape, making complete shape [-1,15])",
                "unable to load model 'simple', configuration expects datatype TYPE_STRING for output 'OUTPUT0', model "
                    + "provides TYPE_INT32",
                "model 'simple', tensor 'OUTPUT1': the model expects 2 dimensions (shape [-1,16]) but the model "
                    + "configuration specifies 3 dimensions (an initial batch dimension because max_batch_size > 0 "
                    + "followed by the explicit tensor shape, making complete shape [-1,4,4])",
            ])
    }

    @Test func `Without batches the dimensions are the complete shape`() {
        let unbatched = { (configuration: inout ModelConfiguration) in
            configuration.maxBatchSize = 0
            for index in configuration.inputs.indices { configuration.inputs[index].dimensions = [-1, 16] }
            for index in configuration.outputs.indices { configuration.outputs[index].dimensions = [-1, 16] }
        }
        #expect(complaints(unbatched) == [])
        #expect(
            complaints {
                unbatched(&$0)
                $0.inputs[0].dimensions = [16]
            } == [
                "model 'simple', tensor 'INPUT0': the model expects 2 dimensions (shape [-1,16]) but the model "
                    + "configuration specifies 1 dimensions (shape [16])"
            ])
    }

    @Test func `A batch dimension that is not open is an error of its own`() {
        #expect(
            complaints({ _ in }, signature(input: [1, 16], output: [])) == [
                "model 'simple', tensor 'INPUT0': for the model to support batching the shape should have at least 1 "
                    + "dimension and the first dimension must be -1; but shape expected by the model is [1,16]",
                "model 'simple', tensor 'OUTPUT0': for the model to support batching the shape should have at least 1 "
                    + "dimension and the first dimension must be -1; but shape expected by the model is []",
            ])
    }

    @Test(
        arguments: [
            // Any size that the configuration has is fine where the model takes any.
            ([-1, -1], [7], true, true), ([-1, -1], [-1], true, true),
            // An open input of a model that takes one size would promise too much; an open output promises nothing.
            ([-1, 16], [-1], false, true),
            ([-1, 16], [15], false, false), ([-1, 16], [16, 1], false, false),
        ] as [(TensorShape, TensorShape, Bool, Bool)])
    func `Open dimensions`(model: TensorShape, configured: TensorShape, isInput: Bool, isOutput: Bool) {
        #expect(complaints({ $0.inputs[0].dimensions = configured }, signature(input: model)).isEmpty == isInput)
        #expect(
            complaints({ $0.outputs[0].dimensions = configured }, signature(input: [-1, 16], output: model)).isEmpty
                == isOutput)
    }

    @Test func `A tensor of unknown rank takes any dimensions`() {
        #expect(complaints({ $0.inputs[0].dimensions = [1, 2, 3] }, signature(input: nil)) == [])
    }

    @Test(arguments: [(0, 1), (1, 1), (2, 0)])
    func `A dynamic batcher without batches is worth a warning`(size: Int, warnings: Int) {
        var configuration = SimpleModel.configuration
        configuration.maxBatchSize = size
        #expect(ConfigurationCheck.warnings(configuration) == [])
        configuration.dynamicBatching = DynamicBatching()
        #expect(ConfigurationCheck.warnings(configuration).count == warnings)
    }
}
