package import CUDADriver
internal import ModelRuntime
package import Tensors
internal import Threads

/// The regions of shared memory that clients have registered (the extensions for the system's shared memory and for
/// CUDA's). Names are one kind's or the other's.
package final class SharedMemory: Sendable {
    /// A region as clients see it.
    package struct Status: Hashable, Sendable {
        package var name: String
        /// The name of the memory object, `/my_region` for instance.
        package var key: String
        /// Bytes from the object's start to the region's.
        package var offset: Int
        package var byteCount: Int

        package init(name: String, key: String, offset: Int, byteCount: Int) {
            self.name = name
            self.key = key
            self.offset = offset
            self.byteCount = byteCount
        }
    }

    /// A region of a GPU's memory as clients see it.
    package struct DeviceStatus: Hashable, Sendable {
        package var name: String
        /// The GPU's number.
        package var device: Int
        package var byteCount: Int

        package init(name: String, device: Int, byteCount: Int) {
            self.name = name
            self.device = device
            self.byteCount = byteCount
        }
    }

    private enum Region {
        case system(Status, SharedMemoryMapping)
        case device(DeviceStatus, TensorStorage)

        var byteCount: Int {
            switch self {
            case .system(let status, _): status.byteCount
            case .device(let status, _): status.byteCount
            }
        }

        var systemStatus: Status? {
            if case .system(let status, _) = self { status } else { nil }
        }

        var deviceStatus: DeviceStatus? {
            if case .device(let status, _) = self { status } else { nil }
        }
    }

    private let regions = Locked<[String: Region]>([:])
    private let isAllowed: Bool
    private let gpus: GPUs

    /// - Parameters:
    ///   - isAllowed: whether clients may use shared memory at all (`--allow-client-shm`).
    ///   - gpus: those whose memory may be shared.
    package init(isAllowed: Bool, gpus: GPUs = GPUs()) {
        self.isAllowed = isAllowed
        self.gpus = gpus
    }

    /// - Throws: `unsupported` where clients may not use shared memory.
    package func checkAllowed() throws(HalcyonError) {
        guard isAllowed else {
            throw HalcyonError(
                .unsupported,
                "Client shared memory is disabled. Start the server with '--allow-client-shm=true' to enable.")
        }
    }

    /// Maps a memory object of the system under a name.
    ///
    /// - Throws: `alreadyExists` for a name in use; `invalidArgument` for a range outside the object; `internal` for an
    ///   object that can't be opened.
    package func register(_ status: Status) throws(HalcyonError) {
        try checkAllowed()
        guard status.offset >= 0, status.byteCount > 0 else {
            throw HalcyonError(
                .invalidArgument, "failed to register shared memory region '\(status.name)': invalid args")
        }
        let mapping = try SharedMemoryMapping(
            key: status.key, offset: status.offset, byteCount: status.byteCount, region: status.name)
        try add(.system(status, mapping), name: status.name)
    }

    /// Opens memory of a GPU that another process has allocated. Blocks while the driver starts.
    ///
    /// - Parameter handle: what the driver calls a memory handle there: 64 bytes.
    /// - Throws: `alreadyExists` for a name in use; `invalidArgument` for a handle of no memory, for more bytes than it
    ///   has, or for a GPU that is not there; `unavailable` without a driver.
    package func register(_ status: DeviceStatus, handle: [UInt8]) throws(HalcyonError) {
        try checkAllowed()
        do throws(HalcyonError) {
            guard status.byteCount > 0 else { throw HalcyonError(.invalidArgument, "invalid args") }
            let storage = try gpus.gpu(status.device).open(handle, byteCount: status.byteCount)
            try add(.device(status, storage), name: status.name)
        } catch {
            guard error.code != .alreadyExists else { throw error }
            throw error.prefixed("failed to register CUDA shared memory region '\(status.name)': ")
        }
    }

    private func add(_ region: Region, name: String) throws(HalcyonError) {
        try regions.withLock { regions throws(HalcyonError) in
            guard regions[name] == nil else {
                throw HalcyonError(.alreadyExists, "shared memory region '\(name)' already in manager")
            }
            regions[name] = region
        }
    }

    /// Forgets a region of the system's memory, or all of them where `name` is empty. Requests that use it keep it
    /// mapped until they end.
    package func unregister(_ name: String) throws(HalcyonError) {
        try remove { $0.systemStatus.map { name.isEmpty || $0.name == name } ?? false }
    }

    /// The same for regions of GPUs' memory.
    package func unregisterDevice(_ name: String) throws(HalcyonError) {
        try remove { $0.deviceStatus.map { name.isEmpty || $0.name == name } ?? false }
    }

    private func remove(where isMeant: (Region) -> Bool) throws(HalcyonError) {
        try checkAllowed()
        // What goes is released outside of the lock: closing may take a while.
        let gone = regions.withLock { regions in
            let gone = regions.filter { isMeant($0.value) }
            for name in gone.keys { regions[name] = nil }
            return gone
        }
        withExtendedLifetime(gone) {}
    }

    /// The regions of the system's memory, or one of them where `name` is not empty, by name.
    ///
    /// - Throws: `notFound` for a name that nobody registered.
    package func status(_ name: String = "") throws(HalcyonError) -> [Status] {
        try list(name, "system", \.systemStatus).sorted { $0.name < $1.name }
    }

    /// The same for regions of GPUs' memory.
    package func deviceStatus(_ name: String = "") throws(HalcyonError) -> [DeviceStatus] {
        try list(name, "cuda", \.deviceStatus).sorted { $0.name < $1.name }
    }

    private func list<Kind>(
        _ name: String, _ kindName: String, _ kind: (Region) -> Kind?
    ) throws(HalcyonError) -> [Kind] {
        try regions.withLock { regions throws(HalcyonError) in
            if name.isEmpty { return regions.values.compactMap(kind) }
            guard let region = regions[name] else {
                throw HalcyonError(.notFound, "Unable to find \(kindName) shared memory region: '\(name)'")
            }
            guard let status = kind(region) else {
                let (own, asked) = kindName == "cuda" ? ("system", "CUDA") : ("CUDA", "system")
                throw HalcyonError(
                    .notFound,
                    "The region named '\(name)' is registered as \(own) shared memory, not \(asked) shared memory")
            }
            return [status]
        }
    }

    /// The bytes of a part of a region, in place.
    ///
    /// - Throws: `notFound` for a region that nobody registered; `invalidArgument` for a part outside it.
    package func buffer(_ reference: RegionReference) throws(HalcyonError) -> TensorBuffer {
        let region = regions.withLock { $0[reference.name] }
        guard let region else { throw Self.unknown(reference.name) }
        let size = region.byteCount
        guard reference.offset >= 0, reference.offset < size else {
            throw HalcyonError(.invalidArgument, "Invalid offset for shared memory region: '\(reference.name)'")
        }
        guard reference.byteCount >= 0, reference.byteCount <= size - reference.offset else {
            throw HalcyonError(
                .invalidArgument, "Invalid offset + byte size for shared memory region: '\(reference.name)'")
        }
        switch region {
        case .device(_, let storage):
            return try TensorBuffer(storage).slice(offset: reference.offset, byteCount: reference.byteCount)
        case .system(_, let mapping):
            guard mapping.isIntact else {
                throw HalcyonError(
                    .invalidArgument, "the memory of shared memory region '\(reference.name)' has been made smaller")
            }
            return try TensorBuffer(mapping.storage).slice(offset: reference.offset, byteCount: reference.byteCount)
        }
    }

    /// Copies a tensor's bytes into a part of a region, wherever the one and the other are.
    ///
    /// - Throws: as ``buffer(_:)``; `invalidArgument` where the bytes do not fit; what the GPU says.
    package func write(_ tensor: Tensor, to reference: RegionReference) throws(HalcyonError) {
        let target = try buffer(reference)
        guard tensor.data.byteCount <= target.byteCount else {
            throw HalcyonError(
                .invalidArgument,
                "shared memory size specified with the request for output '\(tensor.name)' (\(target.byteCount) bytes) "
                    + "should be at least \(tensor.data.byteCount) bytes to hold the results")
        }
        if let device = target.storage.device, tensor.data.byteCount > 0 {
            try device.copy(byteCount: tensor.data.byteCount, from: tensor.data.baseAddress, to: target.baseAddress)
        } else {
            try tensor.data.copy(to: target.baseAddress)
        }
        withExtendedLifetime((target, tensor)) {}
    }

    private static func unknown(_ name: String) -> HalcyonError {
        HalcyonError(.notFound, "Unable to find shared memory region: '\(name)'")
    }
}
