/// Where memory of every placement comes from.
package protocol MemoryProvider: Sendable {
    /// Memory of a placement, or of a lesser one: ordinary memory where no page-locked memory is left.
    ///
    /// - Throws: `unavailable` without the GPU that was asked for, or where it has not that much memory left.
    func storage(byteCount: Int, in placement: MemoryPlacement) throws(HalcyonError) -> TensorStorage

    /// Memory in which a request's inputs lie best, as what executes it reads them there; `nil` where there is none at
    /// the moment, and ordinary memory is as good.
    func inputStorage(byteCount: Int) -> TensorStorage?
}

extension MemoryProvider {
    /// By default ordinary memory is as good.
    package func inputStorage(byteCount: Int) -> TensorStorage? { nil }

    /// The bytes in memory of a placement: the buffer itself where it is there already, else a copy.
    ///
    /// - Throws: as ``storage(byteCount:in:)``, and where the bytes can't be copied.
    package func place(_ buffer: TensorBuffer, in placement: MemoryPlacement) throws(HalcyonError) -> TensorBuffer {
        guard buffer.placement != placement else { return buffer }
        let storage = try storage(byteCount: buffer.byteCount, in: placement)
        if let device = storage.device, buffer.placement.isHostAccessible {
            try device.copy(byteCount: buffer.byteCount, from: buffer.baseAddress, to: storage.baseAddress)
        } else {
            try buffer.copy(to: storage.baseAddress)
        }
        return try TensorBuffer(storage).slice(offset: 0, byteCount: buffer.byteCount)
    }
}
