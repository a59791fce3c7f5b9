internal import ModelRuntime
package import Tensors

/// The regions of shared memory that clients have registered (the system shared memory extension).
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

    private struct Region {
        var status: Status
        var mapping: SharedMemoryMapping
    }

    private let regions = Locked<[String: Region]>([:])
    private let isAllowed: Bool

    /// - Parameter isAllowed: whether clients may use shared memory at all (`--allow-client-shm`).
    package init(isAllowed: Bool) { self.isAllowed = isAllowed }

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
        try regions.withLock { regions throws(HalcyonError) in
            guard regions[status.name] == nil else {
                throw HalcyonError(.alreadyExists, "shared memory region '\(status.name)' already in manager")
            }
            regions[status.name] = Region(status: status, mapping: mapping)
        }
    }

    /// Forgets a region, or all of them where `name` is empty. Requests that use it keep it mapped until they end.
    package func unregister(_ name: String) throws(HalcyonError) {
        try checkAllowed()
        regions.withLock { regions in
            if name.isEmpty { regions.removeAll() } else { regions[name] = nil }
        }
    }

    /// The regions, or one of them where `name` is not empty, by name.
    ///
    /// - Throws: `notFound` for a name that nobody registered.
    package func status(_ name: String = "") throws(HalcyonError) -> [Status] {
        try regions.withLock { regions throws(HalcyonError) in
            if name.isEmpty { return regions.values.map(\.status).sorted { $0.name < $1.name } }
            guard let region = regions[name] else { throw Self.unknown(name) }
            return [region.status]
        }
    }

    /// The bytes of a part of a region, in place.
    ///
    /// - Throws: `notFound` for a region that nobody registered; `invalidArgument` for a part outside it.
    package func buffer(_ reference: RegionReference) throws(HalcyonError) -> Buffer {
        let region = regions.withLock { $0[reference.name] }
        guard let region else { throw Self.unknown(reference.name) }
        let size = region.status.byteCount
        guard reference.offset >= 0, reference.offset <= size else {
            throw HalcyonError(.invalidArgument, "Invalid offset for shared memory region: '\(reference.name)'")
        }
        guard reference.byteCount >= 0, reference.byteCount <= size - reference.offset else {
            throw HalcyonError(
                .invalidArgument, "Invalid offset + byte size for shared memory region: '\(reference.name)'")
        }
        guard region.mapping.isIntact else {
            throw HalcyonError(
                .invalidArgument, "the memory of shared memory region '\(reference.name)' has been made smaller")
        }
        return try Buffer(region.mapping.storage).slice(offset: reference.offset, byteCount: reference.byteCount)
    }

    /// Copies a tensor's bytes into a part of a region.
    ///
    /// - Throws: as ``buffer(_:)``; `invalidArgument` where the bytes do not fit.
    package func write(_ tensor: Tensor, to reference: RegionReference) throws(HalcyonError) {
        let target = try buffer(reference)
        guard tensor.data.byteCount <= target.byteCount else {
            throw HalcyonError(
                .invalidArgument,
                "shared memory size specified with the request for output '\(tensor.name)' (\(target.byteCount) bytes) "
                    + "should be at least \(tensor.data.byteCount) bytes to hold the results")
        }
        tensor.data.withUnsafeBytes { source in
            guard let first = source.baseAddress else { return }
            target.baseAddress.copyMemory(from: first, byteCount: source.count)
        }
        withExtendedLifetime(target) {}
    }

    private static func unknown(_ name: String) -> HalcyonError {
        HalcyonError(.notFound, "Unable to find shared memory region: '\(name)'")
    }
}
