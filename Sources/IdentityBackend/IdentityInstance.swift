internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

final class IdentityInstance: ModelInstance {
    private let pairs: [IdentityModel.Pair]
    private let hasBatch: Bool
    /// Milliseconds that each execution takes.
    private let delay: UInt64
    private let pauses: Pauses

    init(_ pairs: [IdentityModel.Pair], hasBatch: Bool, delay: UInt64, pauses: Pauses) {
        self.pairs = pairs
        self.hasBatch = hasBatch
        self.delay = delay
        self.pauses = pauses
    }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        if delay > 0, !batch.isWarmUp { _ = pauses.wait(milliseconds: delay) }
        var outputs: [Tensor] = []
        outputs.reserveCapacity(pairs.count)
        for pair in pairs where batch.requestedOutputs?.contains(pair.output.name) ?? true {
            if var output = batch.inputs.first(where: { $0.name == pair.input }) {
                output.name = pair.output.name
                outputs.append(output)
            } else {
                outputs.append(try zeros(pair.output, batchSize: batch.batchSize))
            }
        }
        return outputs
    }

    /// What stands for an input that the requests leave out: zeros of the configured shape, with 1 for open sizes.
    private func zeros(_ output: TensorConfiguration, batchSize: Int) throws(HalcyonError) -> Tensor {
        let item = TensorShape(output.modelDimensions.dimensions.map { $0 == TensorShape.variable ? 1 : $0 })
        let shape = hasBatch ? item.prepending(batchSize) : item
        // An empty text is its length, which is 0.
        let (byteCount, overflow) = try shape.elementCount().multipliedReportingOverflow(
            by: output.elementType.byteSize ?? 4)
        guard !overflow else {
            throw HalcyonError(.invalidArgument, "output '\(output.name)' of shape \(shape) does not fit into memory")
        }
        let zeros = [UInt8](repeating: 0, count: byteCount)
        return try Tensor(
            name: output.name, elementType: output.elementType, shape: shape, data: TensorBuffer(copying: zeros))
    }
}
