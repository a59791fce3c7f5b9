public import Tensors

/// What a model answers to one request.
public struct InferenceResponse: Sendable {
    /// The model that answered.
    public var modelName: String
    /// The version that answered, also where the request named none.
    public var modelVersion: Int64
    /// The request's id.
    public var id: String
    /// The outputs that were asked for, in the model's order.
    public var outputs: [Tensor]
    /// What the model says beside the outputs.
    public var parameters: [InferenceParameter] = []
    /// Whether it is the last for its request. The last of a decoupled model may have no outputs: then it only says
    /// that there are no more.
    public var isFinal = true
    /// What a decoupled model says in place of outputs, where others may come after it; `nil` for a response with
    /// outputs. An error that is the last of its request is the request's failure.
    public var error: HalcyonError?

    /// The last and only response to a request, unless ``isFinal`` is taken back.
    public init(modelName: String, modelVersion: Int64, id: String, outputs: [Tensor]) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.id = id
        self.outputs = outputs
    }

    /// The output with that name.
    ///
    /// - Throws: `notFound` that names the outputs there are.
    public func output(_ name: String) throws(HalcyonError) -> Tensor {
        guard let output = outputs.first(where: { $0.name == name }) else {
            let names = outputs.map { "'\($0.name)'" }.joined(separator: ", ")
            throw HalcyonError(.notFound, "the response of model '\(modelName)' has no output '\(name)', but \(names)")
        }
        return output
    }
}
