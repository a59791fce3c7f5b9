internal import ModelRuntime
internal import Synchronization
internal import Tensors

/// The memory of a request's allocator, for who makes the outputs: what was written there is not copied again.
final class AllocatedOutputs: OutputMemory, @unchecked Sendable {
    let allocator: ResponseAllocatorObject
    let userp: UnsafeMutableRawPointer?
    /// Responses that the allocator knows of, and that have not come.
    private let started = Atomic<Int>(0)

    init(_ allocator: ResponseAllocatorObject, _ userp: UnsafeMutableRawPointer?) {
        self.allocator = allocator
        self.userp = userp
    }

    func startResponse() throws(HalcyonError) {
        try allocator.start(userp)
        started.add(1, ordering: .acquiringAndReleasing)
    }

    /// A response comes.
    ///
    /// - Returns: whether the allocator knows of it already.
    func claimStart() -> Bool {
        var count = started.load(ordering: .acquiring)
        while count > 0 {
            let (isDone, now) = started.compareExchange(
                expected: count, desired: count - 1, ordering: .acquiringAndReleasing)
            if isDone { return true }
            count = now
        }
        return false
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
        let given = GivenMemory(try place(for: output, byteCount: byteCount, in: placement), of: self)
        // For no bytes there may be no memory, and a storage has an address all the same.
        let address = given.memory.base ?? UnsafeMutableRawPointer(bitPattern: TensorStorage.alignment)
        guard let address else { throw HalcyonError(.internal, "output '\(output)' has no memory") }
        return TensorStorage(
            partOf: given, at: address, byteCount: byteCount,
            placement: try MemoryPlacement(given.memory.type, given.memory.typeID))
    }

    /// The memory of an output, if it was given here, all of it; from now on it is the response's.
    func claim(_ data: TensorBuffer) -> ResponseAllocatorObject.Memory? {
        guard let given = given(data), given.claim() else { return nil }
        return given.memory
    }

    /// Whether the memory of an output is of this allocator, all of it.
    func gave(_ data: TensorBuffer) -> Bool { given(data) != nil }

    private func given(_ data: TensorBuffer) -> GivenMemory? {
        guard let given = data.storage.owner as? GivenMemory, given.outputs === self,
            data.byteCount == given.memory.byteCount
        else { return nil }
        return given
    }
}

/// Memory that a program gave for an output. It goes back when nothing refers to it any more, unless it became a
/// response's.
private final class GivenMemory: Sendable {
    let memory: ResponseAllocatorObject.Memory
    let outputs: AllocatedOutputs
    private let isClaimed = Atomic<Bool>(false)

    init(_ memory: ResponseAllocatorObject.Memory, of outputs: AllocatedOutputs) {
        self.memory = memory
        self.outputs = outputs
    }

    /// - Returns: whether nobody has before.
    func claim() -> Bool { !isClaimed.exchange(true, ordering: .acquiringAndReleasing) }

    deinit { if !isClaimed.load(ordering: .acquiring) { outputs.allocator.free(memory) } }
}
