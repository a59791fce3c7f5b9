/// The memory of a device that the processor reaches by copies only. Its methods may be called from any thread, and
/// block it until what they began is done.
package protocol DeviceMemory: AnyObject, Sendable {
    /// Uninitialised memory on the device.
    ///
    /// - Throws: `unavailable` where the device has not that much left.
    func allocate(byteCount: Int) throws(HalcyonError) -> TensorStorage

    /// Copies bytes between this memory and any other that the processor or a device of the same make has.
    func copy(byteCount: Int, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) throws(HalcyonError)
}

extension TensorBuffer {
    /// The same bytes where the processor can read them: this buffer itself, or a copy.
    ///
    /// - Parameter allocate: gives the memory for a copy.
    /// - Throws: `unsupported` for memory of a device that nobody here can copy from; what the device says.
    package func onHost(
        allocate: (Int) -> TensorStorage = TensorStorage.allocate(byteCount:)
    ) throws(HalcyonError) -> TensorBuffer {
        if placement.isHostAccessible { return self }
        let storage = allocate(byteCount)
        try copy(to: storage.baseAddress)
        return try TensorBuffer(storage).slice(offset: 0, byteCount: byteCount)
    }

    /// Copies the bytes to any memory, from wherever they are. What is copied to has to be the processor's, or the
    /// device's that holds these.
    package func copy(to target: UnsafeMutableRawPointer) throws(HalcyonError) {
        guard byteCount > 0 else { return }
        if placement.isHostAccessible {
            target.copyMemory(from: baseAddress, byteCount: byteCount)
        } else if let device = storage.device {
            try device.copy(byteCount: byteCount, from: baseAddress, to: target)
        } else {
            throw HalcyonError(.unsupported, "the bytes live in \(placement), from where nothing here can copy them")
        }
    }
}
