internal import ModelRuntime
internal import Tensors
internal import Threads

/// The memory of a request's allocator, for who makes the outputs: what was written there is not copied again.
final class AllocatedOutputs: OutputMemory, @unchecked Sendable {
    let allocator: ResponseAllocatorObject
    let userp: UnsafeMutableRawPointer?
    /// What nobody has answered with yet, by its storage.
    private let given = Locked<[ObjectIdentifier: ResponseAllocatorObject.Memory]>([:])
    /// Responses that the allocator knows of, and that have not come.
    private let started = Locked(0)

    init(_ allocator: ResponseAllocatorObject, _ userp: UnsafeMutableRawPointer?) {
        self.allocator = allocator
        self.userp = userp
    }

    func startResponse() throws(HalcyonError) {
        try allocator.start(userp)
        started.withLock { $0 += 1 }
    }

    /// A response comes.
    ///
    /// - Returns: whether the allocator knows of it already.
    func claimStart() -> Bool {
        started.withLock { started in
            guard started > 0 else { return false }
            started -= 1
            return true
        }
    }

    func plan(for output: String?, byteCount: Int?) throws(HalcyonError) -> OutputPlan? {
        try allocator.plan(for: output, byteCount: byteCount, userp)
    }

    /// Memory for an output that lies elsewhere.
    func place(
        for output: String, byteCount: Int, in placement: MemoryPlacement
    ) throws(HalcyonError) -> ResponseAllocatorObject.Memory {
        try allocator.memory(for: output, byteCount: byteCount, in: placement, userp)
    }

    func storage(
        for output: String, byteCount: Int, in placement: MemoryPlacement
    ) throws(HalcyonError) -> TensorStorage {
        let memory = try place(for: output, byteCount: byteCount, in: placement)
        do throws(HalcyonError) {
            let placement = try MemoryPlacement(memory.type, memory.typeID)
            // For no bytes there may be no memory, and a storage has an address all the same.
            let address = memory.base ?? UnsafeMutableRawPointer(bitPattern: TensorStorage.alignment)
            guard let address else { throw HalcyonError(.internal, "output '\(output)' has no memory") }
            let owner = Owner(self)
            let storage = TensorStorage(owning: address, byteCount: byteCount, placement: placement) { _ in
                owner.end()
            }
            owner.storage = ObjectIdentifier(storage)
            given.withLock { $0[ObjectIdentifier(storage)] = memory }
            return storage
        } catch {
            allocator.free(memory)
            throw error
        }
    }

    /// The memory of an output, if it is of this allocator, all of it; from now on it is the response's.
    func claim(_ data: TensorBuffer) -> ResponseAllocatorObject.Memory? {
        given.withLock { given in
            guard let memory = given[ObjectIdentifier(data.storage)], data.byteCount == memory.byteCount else {
                return nil
            }
            given[ObjectIdentifier(data.storage)] = nil
            return memory
        }
    }

    /// Gives memory back that nobody has answered with.
    private func end(_ storage: ObjectIdentifier) {
        guard let memory = given.withLock({ $0.removeValue(forKey: storage) }) else { return }
        allocator.free(memory)
    }

    /// What ends with a storage, and knows which one.
    private final class Owner: @unchecked Sendable {
        private let outputs: AllocatedOutputs
        /// Written before anybody else has the storage.
        var storage: ObjectIdentifier?

        init(_ outputs: AllocatedOutputs) { self.outputs = outputs }

        func end() { if let storage { outputs.end(storage) } }
    }
}
