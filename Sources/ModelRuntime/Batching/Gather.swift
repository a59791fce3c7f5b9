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

    /// - Parameters:
    ///   - requests: each request's inputs, in the configuration's order; at least one.
    ///   - device: where the instance reads them that the batch is for; `nil` for the processor's memory.
    ///   - isForGPU: whether the batch goes to a GPU, by whatever way.
    /// - Throws: what a device says whose memory inputs are in.
    func inputs(
        of requests: [[Tensor]], for device: (any DeviceMemory)? = nil, isForGPU: Bool = false
    ) throws(HalcyonError) -> [Tensor] {
        guard let ragged else { return try rows(of: requests, device, isForGPU) }
        return try rows(of: requests, device, isForGPU) + ragged.made(for: requests)
    }

    private func rows(
        of requests: [[Tensor]], _ device: (any DeviceMemory)?, _ isForGPU: Bool
    ) throws(HalcyonError) -> [Tensor] {
        if requests.count == 1, let only = requests.first { return try ragged?.flattened(only) ?? only }
        guard let first = requests.first else { return [] }
        var gathered: [Tensor] = []
        gathered.reserveCapacity(first.count)
        for index in first.indices {
            gathered.append(try gather(index, of: requests, like: first[index], device, isForGPU))
        }
        return gathered
    }

    private func gather(
        _ index: Int, of requests: [[Tensor]], like first: Tensor, _ device: (any DeviceMemory)?, _ isForGPU: Bool
    ) throws(HalcyonError) -> Tensor {
        let isRagged = ragged?.isRagged(first.name) ?? false
        var byteCount = 0
        var rows = 0
        for inputs in requests {
            let input = inputs[index]
            let (sum, overflow) = byteCount.addingReportingOverflow(input.data.byteCount)
            guard !overflow else {
                throw HalcyonError(.invalidArgument, "the batch's input '\(input.name)' is too large")
            }
            byteCount = sum
            rows += isRagged ? try input.shape.elementCount() : input.shape.dimensions.first ?? 1
        }
        let parts = requests.map { $0[index].data }
        let storage: TensorStorage
        if let target = first.elementType == .bytes ? nil : Self.target(device, for: parts) {
            storage = try target.allocate(byteCount: byteCount)
            var offset = 0
            for part in parts {
                try target.copy(byteCount: part.byteCount, from: part.baseAddress, to: storage.baseAddress + offset)
                offset += part.byteCount
            }
        } else {
            storage = try self.storage(byteCount: byteCount, for: parts)
            try Self.copy(parts, to: storage, isForGPU: isForGPU)
        }
        let shape = isRagged ? TensorShape([rows]) : TensorShape([rows] + first.shape.dimensions.dropFirst())
        let data = try TensorBuffer(storage).slice(offset: 0, byteCount: byteCount)
        return try Tensor(name: first.name, elementType: first.elementType, shape: shape, data: data)
    }

    /// - Parameter isForGPU: whether the processor has nothing else to do with the batch than to bring it there.
    private static func copy(
        _ parts: [TensorBuffer], to target: TensorStorage, isForGPU: Bool
    ) throws(HalcyonError) {
        if isForGPU, parts.allSatisfy(\.placement.isHostAccessible),
            let sideBySide = SideBySideCopy(byteCounts: parts.map(\.byteCount))
        {
            return sideBySide.run(parts, to: target)
        }
        var offset = 0
        for part in parts {
            try part.copy(to: target.baseAddress + offset)
            offset += part.byteCount
        }
    }

    /// A part of fewer bytes than that costs a device more to begin with than the processor to copy.
    private static let leastForDevice = 256 << 10

    /// The device, where it can take all of the parts itself as fast as from one piece: from page-locked memory.
    private static func target(
        _ device: (any DeviceMemory)?, for parts: [TensorBuffer]
    ) -> (any DeviceMemory)? {
        guard let device, parts.allSatisfy({ $0.placement == .pinned && $0.byteCount >= leastForDevice }) else {
            return nil
        }
        return device
    }

    /// Memory of the GPU that has all the parts, or else memory that the processor has.
    private func storage(
        byteCount: Int, for parts: [TensorBuffer]
    ) throws(HalcyonError) -> TensorStorage {
        var common: TensorBuffer?
        for part in parts {
            if part.placement.isHostAccessible || common.map({ $0.placement != part.placement }) ?? false {
                return buffers.take(byteCount: byteCount)
            }
            common = part
        }
        guard let device = common?.storage.device else { return buffers.take(byteCount: byteCount) }
        return try device.allocate(byteCount: byteCount)
    }
}
