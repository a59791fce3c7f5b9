internal import ModelConfigurations
internal import Tensors

/// A tensor on its way from step to step.
struct EnsembleTensor: Sendable {
    var tensor: Tensor
    /// Whether its first dimension is a batch: as those of whoever made it.
    var isBatched: Bool

    /// The tensor as somebody takes it, who has that shape without the batch. As in Triton, a batch of one is put
    /// around a tensor, or taken off it, where only one of the two sides batches and the shapes agree that way.
    func adapted(to dimensions: TensorShape, batches: Bool) -> Tensor {
        guard batches != isBatched else { return tensor }
        var adapted = tensor
        if batches {
            if dimensions.accepts(tensor.shape) { adapted.shape = tensor.shape.prepending(1) }
        } else if !dimensions.accepts(tensor.shape), tensor.shape.dimensions.first == 1 {
            adapted.shape = TensorShape(Array(tensor.shape.dimensions.dropFirst()))
        }
        return adapted
    }
}
