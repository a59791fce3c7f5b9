internal import Tensors

/// Makes one set of inputs from the inputs of a batch's requests.
///
/// One request's tensors are passed on as they are; of several, the rows are copied, once, into a buffer that later
/// batches use again.
struct Gather {
    private let buffers: BatchBuffers
    private let ragged: RaggedBatch?

    init(buffers: BatchBuffers, ragged: RaggedBatch? = nil) {
        self.buffers = buffers
        self.ragged = ragged
    }

    /// Frees the buffers.
    func reset() { buffers.removeAll() }

    /// - Parameter requests: each request's inputs, in the configuration's order; at least one.
    /// - Throws: `unsupported` for inputs that the processor cannot read.
    func inputs(of requests: [[Tensor]]) throws(HalcyonError) -> [Tensor] {
        guard let ragged else { return try rows(of: requests) }
        return try rows(of: requests) + ragged.made(for: requests)
    }

    private func rows(of requests: [[Tensor]]) throws(HalcyonError) -> [Tensor] {
        if requests.count == 1, let only = requests.first { return try ragged?.flattened(only) ?? only }
        guard let first = requests.first else { return [] }
        var gathered: [Tensor] = []
        gathered.reserveCapacity(first.count)
        for index in first.indices { gathered.append(try gather(index, of: requests, like: first[index])) }
        return gathered
    }

    private func gather(
        _ index: Int, of requests: [[Tensor]], like first: Tensor
    ) throws(HalcyonError) -> Tensor {
        let isRagged = ragged?.isRagged(first.name) ?? false
        var byteCount = 0
        var rows = 0
        for inputs in requests {
            let input = inputs[index]
            guard input.data.placement.isHostAccessible else {
                throw HalcyonError(
                    .unsupported, "input '\(input.name)' lives in \(input.data.placement) and cannot share a batch")
            }
            let (sum, overflow) = byteCount.addingReportingOverflow(input.data.byteCount)
            guard !overflow else {
                throw HalcyonError(.invalidArgument, "the batch's input '\(input.name)' is too large")
            }
            byteCount = sum
            rows += isRagged ? try input.shape.elementCount() : input.shape.dimensions.first ?? 1
        }
        let storage = buffers.take(byteCount: byteCount)
        var offset = 0
        for inputs in requests {
            inputs[index].data.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                (storage.baseAddress + offset).copyMemory(from: source, byteCount: bytes.count)
                offset += bytes.count
            }
        }
        let shape = isRagged ? Shape([rows]) : Shape([rows] + first.shape.dimensions.dropFirst())
        let data = try Buffer(storage).slice(offset: 0, byteCount: byteCount)
        return try Tensor(name: first.name, elementType: first.elementType, shape: shape, data: data)
    }
}
