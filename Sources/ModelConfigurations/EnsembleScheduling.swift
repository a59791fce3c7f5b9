/// A model that is made of others (`ensemble_scheduling`): tensors go from step to step by their names.
public struct EnsembleScheduling: Hashable, Sendable {
    /// One request to another model.
    public struct Step: Hashable, Sendable {
        /// The model that is asked.
        public var modelName: String
        /// `nil` for the newest.
        public var modelVersion: Int64?
        /// The model's inputs, and the tensors of the ensemble that they get.
        public var inputMap: [String: String]
        /// The model's outputs, and the tensors of the ensemble that they become.
        public var outputMap: [String: String]

        /// A request to a model, with its inputs and outputs tied to the ensemble's tensors.
        public init(
            modelName: String, modelVersion: Int64? = nil, inputMap: [String: String], outputMap: [String: String]
        ) {
            self.modelName = modelName
            self.modelVersion = modelVersion
            self.inputMap = inputMap
            self.outputMap = outputMap
        }
    }

    /// The steps in the order they are written, which need not be the order in which they run.
    public var steps: [Step]
    /// Requests of the ensemble that are under way at the same time; 0 for any number.
    public var maxInflightRequests: Int

    /// An ensemble of these steps.
    public init(steps: [Step] = [], maxInflightRequests: Int = 0) {
        self.steps = steps
        self.maxInflightRequests = maxInflightRequests
    }
}
