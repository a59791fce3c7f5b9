internal import CCUDADriver
package import Tensors
internal import Threads

/// A GPU in use: its context and the pool of its memory.
package final class GPU: DeviceMemory {
    package let context: CUDAContext
    package let pool: MemoryPool
    /// For copies that belong to no instance: those that no copy uses at the moment.
    private let streams: Locked<[CUDAStream]>
    /// Streams that are kept for the next copies.
    private static let keptStreams = 8

    package var device: CUDADevice { context.device }

    init(_ driver: NVIDIADriver, _ device: CUDADevice, poolByteSize: Int) throws(HalcyonError) {
        let context = try CUDAContext(driver, device)
        self.context = context
        streams = Locked([try CUDAStream(context)])
        pool = MemoryPool(
            limit: poolByteSize, reserve: { try? Self.reserve($0, context) },
            release: { address in Self.free(address, context) })
    }

    /// Memory from the pool; where that is full, from the GPU itself. Where the GPU has none left, the pool gives back
    /// what it does not use, and the GPU is asked again.
    ///
    /// - Throws: `unavailable` where that does not help either.
    package func allocate(byteCount: Int) throws(HalcyonError) -> TensorStorage {
        let placement = MemoryPlacement.gpu(device.number)
        if let block = pool.take(byteCount: byteCount) {
            return TensorStorage(owning: block.address, byteCount: byteCount, placement: placement, device: self) {
                [pool] _ in pool.give(block)
            }
        }
        let address: UnsafeMutableRawPointer
        do {
            address = try Self.reserve(max(1, byteCount), context)
        } catch {
            guard pool.shrink(), let again = try? Self.reserve(max(1, byteCount), context) else { throw error }
            address = again
        }
        return TensorStorage(owning: address, byteCount: byteCount, placement: placement, device: self) {
            [context] address in Self.free(address, context)
        }
    }

    package func copy(
        byteCount: Int, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer
    ) throws(HalcyonError) {
        // Each copy has a stream to itself: none waits for another's.
        let idle = streams.withLock { $0.popLast() }
        let stream = if let idle { idle } else { try CUDAStream(context) }
        defer { streams.withLock { if $0.count < Self.keptStreams { $0.append(stream) } } }
        try stream.copy(byteCount: byteCount, from: source, to: target)
        try stream.synchronize()
    }

    // MARK: The driver's memory

    private static func reserve(
        _ byteCount: Int, _ context: CUDAContext
    ) throws(HalcyonError) -> UnsafeMutableRawPointer {
        let attempt = "GPU \(context.device.number) gives no \(byteCount) bytes"
        let (result, address) = try context.attemptWithCurrent(attempt) {
            functions -> (cuda_result_t, cuda_address_t) in
            var address: cuda_address_t = 0
            return (functions.cuMemAlloc_v2(&address, byteCount), address)
        }
        guard result != NVIDIADriver.outOfMemory else {
            let (free, total) = try memory(context)
            throw HalcyonError(
                .unavailable,
                "GPU \(context.device.number) (\(context.device.name)) is out of memory: \(byteCount) bytes were "
                    + "asked for, and \(free) of \(total) are free")
        }
        try context.driver.check(result, attempt)
        guard let pointer = UnsafeMutableRawPointer(bitPattern: UInt(address)) else {
            throw HalcyonError(.internal, "\(attempt): its address is 0")
        }
        return pointer
    }

    private static func free(_ address: UnsafeMutableRawPointer, _ context: CUDAContext) {
        _ = try? context.withCurrent("") { ($0.cuMemFree_v2(cuda_address_t(UInt(bitPattern: address))), ()) }
    }

    private static func memory(_ context: CUDAContext) throws(HalcyonError) -> (free: Int, total: Int) {
        try context.withCurrent("GPU \(context.device.number) does not say how much memory is free") {
            functions -> (cuda_result_t, (Int, Int)) in
            var (free, total) = (0, 0)
            return (functions.cuMemGetInfo_v2(&free, &total), (free, total))
        }
    }

    // MARK: Memory of other processes

    /// Opens an allocation of another process, which stays open until nobody refers to it.
    ///
    /// - Parameter handle: as the driver's `cuIpcGetMemHandle` gives it there.
    /// - Throws: `invalidArgument` for bytes that are no handle of this GPU's memory, or for more bytes than it has.
    package func open(_ handle: [UInt8], byteCount: Int) throws(HalcyonError) -> TensorStorage {
        var opened = cuda_memory_handle_t()
        let size = MemoryLayout<cuda_memory_handle_t>.size
        guard handle.count == size else {
            throw HalcyonError(.invalidArgument, "a handle of CUDA memory has \(size) bytes, got \(handle.count)")
        }
        withUnsafeMutableBytes(of: &opened) { $0.copyBytes(from: handle) }
        // What engines of several GPUs do: access between devices is set up when it is first needed.
        let lazily: UInt32 = 1
        let attempt = "GPU \(device.number) can't open the handle"
        let outcome = try context.attemptWithCurrent(attempt) { [opened] functions -> (cuda_result_t, (UInt64, Int)) in
            var address: cuda_address_t = 0
            let result = functions.cuIpcOpenMemHandle_v2(&address, opened, lazily)
            guard result == 0 else { return (result, (0, 0)) }
            var (base, size): (cuda_address_t, Int) = (0, 0)
            let known = functions.cuMemGetAddressRange_v2(&base, &size, address)
            if known != 0 || base > address { size = 0 }
            return (0, (address, size - Int(clamping: address &- base)))
        }
        do {
            try context.driver.check(outcome.result, attempt)
        } catch {
            throw HalcyonError(.invalidArgument, error.message)
        }
        guard let pointer = UnsafeMutableRawPointer(bitPattern: UInt(outcome.value.0)) else {
            throw HalcyonError(.internal, "\(attempt): its address is 0")
        }
        let storage = TensorStorage(
            owning: pointer, byteCount: max(0, outcome.value.1), placement: .gpu(device.number), device: self
        ) { [context] address in
            _ = try? context.withCurrent("") {
                ($0.cuIpcCloseMemHandle(cuda_address_t(UInt(bitPattern: address))), ())
            }
        }
        guard byteCount <= storage.byteCount else {
            throw HalcyonError(
                .invalidArgument, "the allocation has \(storage.byteCount) bytes, and \(byteCount) were named")
        }
        return storage
    }
}
