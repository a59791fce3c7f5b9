public import Tensors

/// What executes batches. Its methods are called by one thread at a time, though not always by the same one.
public protocol ModelInstance: AnyObject {
    /// Runs one batch and returns the output tensors, each with its complete shape.
    ///
    /// Where the model batches, the first dimension of every output is the batch's size, and the engine hands each
    /// request its own rows of it, without a copy: the memory of an output must therefore not be written again while
    /// its `TensorBuffer` is referred to. An output that no request asked for (``ExecutionBatch/requestedOutputs``) may
    /// be left out.
    ///
    /// - Throws: any error; it fails the requests of this batch and nothing else.
    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor]
}
