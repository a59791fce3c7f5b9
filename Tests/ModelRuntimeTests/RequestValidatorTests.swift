import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@Suite("What a request may bring")
struct RequestValidatorTests {
    private static func configuration(
        _ dimensions: TensorShape, reshape: TensorShape? = nil, maxBatchSize: Int = 0,
        parameters: [String: String] = [:]
    ) -> ModelConfiguration {
        var configuration = ModelConfiguration(name: "model")
        configuration.maxBatchSize = maxBatchSize
        configuration.inputs = [TensorConfiguration(name: "x", elementType: .fp32, dimensions: dimensions)]
        configuration.inputs[0].reshape = reshape
        configuration.parameters = parameters
        return configuration
    }

    /// The shape in which the model gets an input.
    private static func shape(
        of shape: TensorShape, _ configuration: ModelConfiguration, takesEmptyTensors: Bool = true
    ) throws -> TensorShape? {
        let values = [Float](repeating: 0, count: try shape.elementCount())
        let request = InferenceRequest(modelName: "model", inputs: [try Tensor(name: "x", shape: shape, values)])
        return try RequestValidator(configuration, takesEmptyTensors: takesEmptyTensors).validate(request).inputs.first?
            .shape
    }

    @Test("A model's single number comes with one dimension or with none")
    func scalars() throws {
        let scalar = Self.configuration([1], reshape: [])
        #expect(try Self.shape(of: [1], scalar) == [])
        #expect(try Self.shape(of: [], scalar) == [])
        #expect(throws: HalcyonError.self) { try Self.shape(of: [2], scalar) }
        let batched = Self.configuration([1], reshape: [], maxBatchSize: 8)
        #expect(try Self.shape(of: [3, 1], batched) == [3])
        #expect(try Self.shape(of: [3], batched) == [3])
        #expect(throws: HalcyonError.self) { try Self.shape(of: [], Self.configuration([1])) }
    }

    @Test("Inputs without elements are for models that were declared to take them, where the engine does not")
    func emptyTensors() throws {
        func isTaken(_ shape: TensorShape, _ configuration: ModelConfiguration, engine: Bool) -> Bool {
            (try? Self.shape(of: shape, configuration, takesEmptyTensors: engine)) != nil
        }
        let open = Self.configuration([-1, 2])
        #expect(isTaken([0, 2], open, engine: true))
        #expect(!isTaken([0, 2], open, engine: false))
        #expect(isTaken([3, 2], open, engine: false))
        #expect(isTaken([2, 0], Self.configuration([2, 0]), engine: false))
        #expect(
            isTaken([0, 2], Self.configuration([-1, 2], parameters: ["allow_empty_tensors": "true"]), engine: false))
        #expect(
            !isTaken([0, 2], Self.configuration([-1, 2], parameters: ["allow_empty_tensors": "no"]), engine: true))
        let error = #expect(throws: HalcyonError.self) { try Self.shape(of: [0, 2], open, takesEmptyTensors: false) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix("input 'x' of shape [0,2] for model 'model' has no elements") == true)
        #expect(error?.message.contains("allow_empty_tensors") == true)
    }
}
