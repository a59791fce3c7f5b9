package import Halcyon
internal import ModelRuntime
package import Tensors

/// A request whose body is the bytes of the model's one input and nothing else (a JSON part of length 0). Its answer's
/// outputs are binary data, too.
package enum RawBinaryRequest {
    /// - Throws: `invalidArgument` where the model has several inputs, or the bytes do not lead to one shape.
    package static func read(
        _ body: TensorBuffer, for model: ModelInterface, budget: ByteBudget = .unlimited
    ) throws(HalcyonError) -> InferenceCall {
        let input = RawInput(model: model.name, inputs: model.inputs, maxBatchSize: model.maxBatchSize)
        let tensor = try input.tensor(body) { count throws(HalcyonError) in try budget.allocate(byteCount: count) }
        var call = InferenceCall(
            request: InferenceRequest(modelName: model.name, modelVersion: model.version, inputs: [tensor]), outputs: []
        )
        // Who has no JSON to send wants none to read.
        call.form.prefersBinary = true
        return call
    }
}
