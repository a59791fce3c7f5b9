internal import CCUDADriver
package import Tensors
internal import Threads

/// The machine's GPUs and their memory. The driver is opened when somebody first asks; without one there are none.
package final class GPUs: MemoryProvider {
    package struct Options: Hashable, Sendable {
        /// Page-locked memory that may be kept for reuse, in bytes.
        package var pinnedPoolByteSize = 256 << 20
        /// Memory of a GPU that may be kept for reuse, in bytes, by the GPU's number.
        package var poolByteSizes: [Int: Int] = [:]
        /// The same for the GPUs that are not named.
        package var defaultPoolByteSize = 512 << 20
        /// GPUs that are older are not used.
        package var minimumComputeCapability = 6.0

        package init() {}
    }

    private struct State {
        var driver: Result<NVIDIADriver, HalcyonError>?
        var gpus: [Int: GPU] = [:]
        var pinned: MemoryPool?
    }

    private let options: Options
    private let openDriver: @Sendable () -> Result<NVIDIADriver, HalcyonError>
    private let state = Locked(State())

    /// - Parameter open: opens the driver, once.
    package init(
        options: Options = Options(),
        open: @escaping @Sendable () throws(HalcyonError) -> NVIDIADriver = { () throws(HalcyonError) in
            try NVIDIADriver.open()
        }
    ) {
        self.options = options
        openDriver = { Result { () throws(HalcyonError) in try open() } }
    }

    /// - Throws: `unavailable` without a driver, or with one that is too old.
    package func driver() throws(HalcyonError) -> NVIDIADriver {
        try state.withLock { state throws(HalcyonError) in try driver(&state).get() }
    }

    private func driver(_ state: inout State) -> Result<NVIDIADriver, HalcyonError> {
        if let driver = state.driver { return driver }
        let opened = openDriver()
        state.driver = opened
        return opened
    }

    /// Those that models may run on, in order; none without a driver.
    package var devices: [CUDADevice] {
        let all = (try? driver())?.devices ?? []
        return all.filter { $0.computeCapability >= options.minimumComputeCapability }
    }

    /// The GPU with that number.
    ///
    /// - Throws: `unavailable` without a driver; `invalidArgument` where no GPU has the number.
    package func gpu(_ number: Int) throws(HalcyonError) -> GPU {
        try state.withLock { state throws(HalcyonError) in
            let driver = try driver(&state).get()
            if let gpu = state.gpus[number] { return gpu }
            let gpu = try GPU(
                driver, driver.device(number),
                poolByteSize: options.poolByteSizes[number] ?? options.defaultPoolByteSize)
            state.gpus[number] = gpu
            return gpu
        }
    }

    // MARK: Memory

    package func storage(byteCount: Int, in placement: MemoryPlacement) throws(HalcyonError) -> TensorStorage {
        switch placement {
        case .cpu: TensorStorage.allocate(byteCount: byteCount)
        case .pinned: hostStorage(byteCount: byteCount)
        case .gpu(let number): try gpu(number).allocate(byteCount: byteCount)
        }
    }

    /// Page-locked memory while there is some in the pool, else ordinary memory.
    package func hostStorage(byteCount: Int) -> TensorStorage {
        inputStorage(byteCount: byteCount) ?? TensorStorage.allocate(byteCount: byteCount)
    }

    /// Page-locked memory; `nil` where the pool has none left.
    package func inputStorage(byteCount: Int) -> TensorStorage? {
        guard let pool = pinnedPool(), let block = pool.take(byteCount: byteCount) else { return nil }
        return TensorStorage(owning: block.address, byteCount: byteCount, placement: .pinned) { [pool] _ in
            pool.give(block)
        }
    }

    /// What the pool of page-locked memory has; nothing reserved where none was needed yet.
    package var pinnedUsage: MemoryPool.Usage {
        state.withLock { $0.pinned }?.usage ?? .init(limit: options.pinnedPoolByteSize, reserved: 0, used: 0)
    }

    /// The same; `nil` where nobody has needed the driver yet, or it has no GPU.
    package var pinnedUsageOnGPUs: MemoryPool.Usage? {
        let devices = state.withLock { try? $0.driver?.get().devices } ?? []
        return devices.isEmpty ? nil : pinnedUsage
    }

    /// `nil` where there is no GPU that such memory would be of use to.
    private func pinnedPool() -> MemoryPool? {
        if let pool = state.withLock({ $0.pinned }) { return pool }
        guard let first = devices.first, let gpu = try? gpu(first.number) else { return nil }
        return state.withLock { state in
            if let pool = state.pinned { return pool }
            let pool = Self.pinnedPool(gpu.context, limit: options.pinnedPoolByteSize)
            state.pinned = pool
            return pool
        }
    }

    private static func pinnedPool(_ context: CUDAContext, limit: Int) -> MemoryPool {
        // For all contexts, not only the one that it is made with.
        let portable: UInt32 = 1
        return MemoryPool(
            limit: limit,
            reserve: { byteCount in
                try? context.withCurrent("") { functions -> (cuda_result_t, UnsafeMutableRawPointer?) in
                    var address: UnsafeMutableRawPointer?
                    return (functions.cuMemHostAlloc(&address, byteCount, portable), address)
                }
            },
            release: { address in _ = try? context.withCurrent("") { ($0.cuMemFreeHost(address), ()) } })
    }
}
