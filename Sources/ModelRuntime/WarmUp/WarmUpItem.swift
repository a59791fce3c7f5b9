package import Tensors

/// A request to try a model with, of one item, and how often and in what batches.
package struct WarmUpItem: Sendable {
    package var name: String
    /// Items a batch; at least 1.
    package var batchSize: Int
    package var count: Int
    /// What a request would bring.
    package var inputs: [Tensor]
    /// What the sequence batcher would make beside them, where the sample says it itself.
    package var controls: [Tensor]

    package init(name: String, batchSize: Int, count: Int, inputs: [Tensor], controls: [Tensor] = []) {
        self.name = name
        self.batchSize = batchSize
        self.count = count
        self.inputs = inputs
        self.controls = controls
    }
}
