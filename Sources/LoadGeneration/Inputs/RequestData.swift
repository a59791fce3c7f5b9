package import Tensors

/// The inputs of requests: one request after the other takes the next step, and begins again behind the last.
package struct RequestData: Sendable {
    /// The tensors of a request, with the batch dimension.
    package typealias Step = [Tensor]

    /// At least one, each with at least one step. A sequence takes the steps of one of them.
    package let streams: [[Step]]

    /// What of a file was left aside, in sentences.
    package var notices: [String] = []

    package init(streams: [[Step]]) { self.streams = streams }

    /// All steps one behind the other, for requests that are in no sequence.
    package var steps: [Step] { Array(streams.joined()) }

    /// Made-up inputs: several, so that a server's cache is not all that is measured, but not more than fit in 64 MB.
    ///
    /// - Throws: `invalidArgument` for a model of which an input's shape is open, or a batch that it does not take.
    package static func made(
        for model: ModelDescription, batch: Int, shapes: InputShapes, by maker: TensorMaker
    ) throws(HalcyonError) -> RequestData {
        try check(batch, model)
        try shapes.check(model)
        var maker = maker
        var steps: [Step] = []
        var bytes = 0
        while steps.isEmpty || (steps.count < 8 && bytes + bytes / steps.count <= 64 << 20) {
            var step: Step = []
            for port in model.inputs where !port.isOptional {
                let item = try shapes.shape(of: port, in: model, batch: batch)
                let shape = model.maxBatchSize > 0 ? item.prepending(batch) : item
                let tensor = try maker.tensor(port.name, port.elementType, shape)
                bytes += tensor.data.byteCount
                step.append(tensor)
            }
            steps.append(step)
        }
        return RequestData(streams: [steps])
    }

    /// - Throws: `invalidArgument` for a batch that the model does not take.
    package static func check(_ batch: Int, _ model: ModelDescription) throws(HalcyonError) {
        guard batch > 1, batch > model.maxBatchSize else { return }
        throw HalcyonError(
            .invalidArgument,
            model.maxBatchSize == 0
                ? "model '\(model.name)' takes no batches, so that --batch can only be 1"
                : "model '\(model.name)' takes batches of up to \(model.maxBatchSize), got --batch \(batch)")
    }

    /// Steps that stand for one item each, as requests with a batch of them.
    ///
    /// - Throws: `invalidArgument` for items of different shapes in one batch.
    static func batched(
        _ streams: [[Step]], for model: ModelDescription, batch: Int
    ) throws(HalcyonError) -> RequestData {
        guard model.maxBatchSize > 0 else { return RequestData(streams: streams) }
        var result: [[Step]] = []
        for items in streams {
            var steps: [Step] = []
            // As many requests as there are items, so that each item is in some: it begins again behind the last.
            for first in items.indices {
                var step: Step = []
                for index in items[first].indices {
                    let parts = (0..<batch).map { items[(first + $0) % items.count] }.compactMap {
                        index < $0.count ? $0[index] : nil
                    }
                    step.append(try stacked(parts, batch: batch))
                }
                steps.append(step)
            }
            result.append(steps)
        }
        return RequestData(streams: result)
    }

    private static func stacked(_ parts: [Tensor], batch: Int) throws(HalcyonError) -> Tensor {
        guard let first = parts.first, parts.count == batch,
            parts.allSatisfy({ $0.shape == first.shape && $0.name == first.name })
        else {
            throw HalcyonError(
                .invalidArgument,
                "--batch \(batch): the items of one batch need the same inputs with the same shapes")
        }
        var bytes: [UInt8] = []
        for part in parts { part.data.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        return try Tensor(
            name: first.name, elementType: first.elementType, shape: first.shape.prepending(batch),
            data: TensorBuffer(copying: bytes))
    }
}
