internal import Halcyon
internal import Vision

/// A loaded detector with the way in and the way out.
struct PreparedModel: Sendable {
    let name: String
    private let inputName: String
    private let elementType: ElementType
    private let plan: PreprocessingPlan
    private let head: any DetectionHead
    /// Whether the model's own shapes begin with the number of pictures, as they do with `max_batch_size` over 0 and
    /// mostly also without.
    private let hasBatchDimension: Bool
    /// What it takes and gives, for people.
    let summary: String

    /// Checks that the model's metadata are those of a detector.
    ///
    /// - Throws: `unsupported` for a model with several inputs, one whose input is no picture, or outputs that no head
    ///   knows.
    init(_ name: String, of server: InferenceServer) throws(HalcyonError) {
        let metadata = try server.modelMetadata(name)
        guard let input = metadata.inputs.first, metadata.inputs.count == 1 else {
            throw HalcyonError(
                .unsupported, "model '\(name)' has \(metadata.inputs.count) inputs, and a detector has one picture")
        }
        var item = input.shape
        hasBatchDimension = item.rank == 4 && [1, TensorShape.variable].contains(item.dimensions[0])
        if hasBatchDimension { item.dimensions.removeFirst() }
        var labels: [String] = []
        for output in metadata.outputs where labels.isEmpty { labels = try server.labels(name, output: output.name) }
        var outputs: [(name: String, shape: TensorShape)] = []
        for output in metadata.outputs {
            outputs.append((output.name, hasBatchDimension ? output.shape : output.shape.prepending(1)))
        }
        head = try DetectionHeads.select(outputs: outputs, labels: labels)
        plan = try PreprocessingPlan(elementType: input.elementType, dimensions: item, fit: head.fit)
        self.name = name
        inputName = input.name
        elementType = input.elementType
        let tensors = metadata.inputs.map { "\($0.name) \($0.elementType.rawValue) \($0.shape)" }
        let results = metadata.outputs.map { "\($0.name) \($0.elementType.rawValue) \($0.shape)" }
        summary = "\(tensors.joined(separator: ", ")) → \(results.joined(separator: ", "))"
    }

    /// Finds what is in one picture, by one request.
    ///
    /// - Parameter placement: where its tensors are to live; `nil` for ordinary memory.
    func detect(
        _ picture: Picture, server: InferenceServer, placement: MemoryPlacement?, threshold: Float
    ) throws(HalcyonError) -> [Detection] {
        var (item, mapping) = plan.run(picture)
        if let placement { item = try server.place(item, in: placement) }
        let shape = plan.shape(batch: 1)
        let input = try Tensor(
            name: inputName, elementType: elementType,
            shape: hasBatchDimension ? shape : TensorShape(Array(shape.dimensions.dropFirst())), data: item)
        var request = InferenceRequest(modelName: name, inputs: [input])
        request.outputPlacement = placement
        var outputs = try server.inferBlocking(request).outputs
        for index in outputs.indices where !outputs[index].data.placement.isHostAccessible {
            outputs[index].data = try server.place(outputs[index].data, in: .cpu)
        }
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
