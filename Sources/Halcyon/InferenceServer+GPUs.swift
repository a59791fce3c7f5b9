internal import CUDADriver
public import Tensors

extension InferenceServer {
    /// The names of the GPUs that models may run on, by the GPUs' numbers.
    ///
    /// - Throws: `unavailable` where there is none, with the reason.
    public func gpuNames() throws(HalcyonError) -> [Int: String] {
        let all = try gpus.driver().devices
        let usable = gpus.devices
        guard !usable.isEmpty else {
            throw HalcyonError(
                .unavailable,
                all.isEmpty
                    ? "the NVIDIA driver finds no GPU on this machine"
                    : "no GPU of this machine is new enough: "
                        + all.map { "\($0.name) has compute capability \($0.computeCapability)" }.joined(
                            separator: ", "))
        }
        return Dictionary(uniqueKeysWithValues: usable.map { ($0.number, $0.name) })
    }

    /// The bytes in memory of a placement: the buffer itself where it lives there already, else a copy. Memory of GPUs
    /// and page-locked memory come from the server's pools, and go back when the last reference to them does. Blocks
    /// until the copy is made.
    ///
    /// Where there is no more page-locked memory, or no GPU that it would be of use to, it becomes ordinary memory.
    ///
    /// - Throws: `unavailable` without the GPU that is meant, or where that has no memory left.
    public func place(_ buffer: TensorBuffer, in placement: MemoryPlacement) throws(HalcyonError) -> TensorBuffer {
        try gpus.place(buffer, in: placement)
    }

    /// The bytes where a model reads its inputs without another copy: in memory that the process has in which it runs,
    /// or in page-locked memory for a model on a GPU; the buffer itself for any other model, an ensemble too, and where
    /// there is no such memory left. Requests over HTTP are put there as they come in. The memory is used again when
    /// the last reference to it has gone.
    ///
    /// - Throws: `notFound` or `unavailable` without such a model.
    public func place(
        _ buffer: TensorBuffer, forInputsOf model: String, version: Int64? = nil
    ) throws(HalcyonError) -> TensorBuffer {
        let memory = try resolve(model, version: version).inputMemory
        guard let storage = memory?.inputStorage(byteCount: buffer.byteCount) else { return buffer }
        try buffer.copy(to: storage.baseAddress)
        return try TensorBuffer(storage).slice(offset: 0, byteCount: buffer.byteCount)
    }
}
