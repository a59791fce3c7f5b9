package import ModelRuntime
package import Tensors

/// An answer that is ready for a wire: outputs in the order that the request wants, classes made, shared memory
/// written.
package struct InferenceResult: Sendable {
    package struct Output: Sendable {
        /// With its values, or, where `region` is set, with the bytes that lie there now.
        package var tensor: Tensor
        /// The values are there and not in the answer.
        package var region: RegionReference?
        package var isBinary: Bool

        package init(tensor: Tensor, region: RegionReference? = nil, isBinary: Bool) {
            self.tensor = tensor
            self.region = region
            self.isBinary = isBinary
        }
    }

    package var modelName: String
    package var modelVersion: Int64
    package var id: String
    package var outputs: [Output]
    /// What the model says beside them.
    package var parameters: [InferenceParameter]
    /// Whether it is the last for its request.
    package var isFinal: Bool
    /// Whether it brings nothing but the news that there is no more.
    package var isEmpty: Bool
    /// What the model says in place of outputs, where others may come after it.
    package var error: HalcyonError?

    /// How many bytes are looked at or copied to make classes of a response, and to write it into shared memory.
    static func work(for form: AnswerForm, _ response: InferenceResponse) -> Int {
        form.outputs.reduce(0) { sum, wanted in
            guard wanted.classCount > 0 || wanted.region != nil,
                let output = response.outputs.first(where: { $0.name == wanted.name })
            else { return sum }
            // A copy is quick.
            return sum + output.data.byteCount / (wanted.classCount > 0 ? 1 : 64)
        }
    }

    /// - Throws: `invalidArgument` where classes can't be made or a region is too small; `notFound` for one that nobody
    ///   registered.
    package init(
        _ response: InferenceResponse, for form: AnswerForm, limits: ProtocolLimits = ProtocolLimits(),
        memory: SharedMemory
    ) throws(HalcyonError) {
        modelName = response.modelName
        modelVersion = response.modelVersion
        id = response.id
        parameters = response.parameters
        isFinal = response.isFinal
        isEmpty = response.isFinal && response.outputs.isEmpty
        error = response.error
        outputs = []
        if isEmpty || error != nil { return }
        guard !form.outputs.isEmpty else {
            outputs = response.outputs.map { Output(tensor: $0, isBinary: form.prefersBinary) }
            return
        }
        for wanted in form.outputs {
            var tensor = try response.output(wanted.name)
            if wanted.classCount > 0 {
                tensor = try Classification.classes(
                    of: tensor, count: wanted.classCount, most: limits.classes,
                    hasBatchDimension: form.hasBatchDimension, labels: form.labels[wanted.name] ?? [])
            }
            if let region = wanted.region {
                try memory.write(tensor, to: region)
                outputs.append(
                    Output(
                        tensor: tensor,
                        region: RegionReference(
                            name: region.name, offset: region.offset, byteCount: tensor.data.byteCount),
                        isBinary: false))
            } else {
                outputs.append(Output(tensor: tensor, isBinary: wanted.isBinary ?? form.prefersBinary))
            }
        }
    }
}
