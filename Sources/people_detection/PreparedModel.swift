internal import Halcyon
internal import Vision

/// A loaded detector with the way in and the way out.
struct PreparedModel: Sendable {
    let name: String
    private let inputName: String
    private let elementType: ElementType
    private let plan: PreprocessingPlan
    private let head: any DetectionHead
    private let hasBatchDimension: Bool
    /// What it takes and gives, for people.
    let summary: String

    /// Checks that the model's metadata are those of a detector.
    ///
    /// - Throws: `unsupported` for a model with several inputs, one whose input is no picture, or outputs that no head
    ///   knows.
    init(_ name: String, of server: InferenceServer) throws(HalcyonError) {
        let metadata = try server.modelMetadata(name)
        let configuration = try server.modelConfiguration(name)
        guard let input = configuration.inputs.first, configuration.inputs.count == 1 else {
            throw HalcyonError(
                .unsupported, "model '\(name)' has \(configuration.inputs.count) inputs, and a detector has one picture"
            )
        }
        var labels: [String] = []
        for output in metadata.outputs where labels.isEmpty { labels = try server.labels(name, output: output.name) }
        hasBatchDimension = configuration.maxBatchSize > 0
        var outputs: [(name: String, shape: Shape)] = []
        for output in metadata.outputs {
            outputs.append((output.name, hasBatchDimension ? output.shape : output.shape.prepending(1)))
        }
        head = try DetectionHeads.select(outputs: outputs, labels: labels)
        plan = try PreprocessingPlan(elementType: input.elementType, dimensions: input.dimensions, fit: head.fit)
        self.name = name
        inputName = input.name
        elementType = input.elementType
        let tensors = metadata.inputs.map { "\($0.name) \($0.elementType.rawValue) \($0.shape)" }
        let results = metadata.outputs.map { "\($0.name) \($0.elementType.rawValue) \($0.shape)" }
        summary = "\(tensors.joined(separator: ", ")) → \(results.joined(separator: ", "))"
    }

    /// Finds what is in one picture, by one request.
    func detect(_ picture: Picture, server: InferenceServer, threshold: Float) throws(HalcyonError) -> [Detection] {
        let (item, mapping) = plan.run(picture)
        let shape = plan.shape(batch: 1)
        let input = try Tensor(
            name: inputName, elementType: elementType,
            shape: hasBatchDimension ? shape : Shape(Array(shape.dimensions.dropFirst())), data: item)
        let response = try server.inferBlocking(InferenceRequest(modelName: name, inputs: [input]))
        var outputs = response.outputs
        if !hasBatchDimension {
            for index in outputs.indices { outputs[index].shape = outputs[index].shape.prepending(1) }
        }
        let found = try head.detections(
            in: outputs, item: 0, threshold: threshold, inputWidth: plan.width, inputHeight: plan.height)
        return found.map { detection in
            var detection = detection
            detection.box = mapping.toPicture(detection.box)
            return detection
        }
    }
}
