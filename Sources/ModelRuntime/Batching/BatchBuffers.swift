internal import Tensors
internal import Threads

/// The memory into which the batches of a model are gathered, used again and again by all of its instances.
final class BatchBuffers: Sendable {
    private let buffers = Locked<[TensorStorage]>([])
    /// Buffers that are kept for later; what is needed beyond is freed after use.
    private let retained: Int
    private let memory: (any MemoryProvider)?

    /// - Parameter memory: gives memory that a GPU reads directly; `nil` for ordinary memory.
    init(retained: Int, memory: (any MemoryProvider)? = nil) {
        self.retained = retained
        self.memory = memory
    }

    /// A buffer of at least that many bytes that nobody else refers to. It is free again when the caller, and whoever
    /// the caller gave it to, has released it.
    func take(byteCount: Int) -> TensorStorage {
        buffers.withLock { buffers in
            var replaceable: Int?
            for index in buffers.indices where isKnownUniquelyReferenced(&buffers[index]) {
                if buffers[index].byteCount >= byteCount { return buffers[index] }
                replaceable = index
            }
            let storage =
                (try? memory?.storage(byteCount: byteCount, in: .pinned)) ?? .allocate(byteCount: byteCount)
            if buffers.count < retained {
                buffers.append(storage)
            } else if let replaceable {
                buffers[replaceable] = storage
            }
            return storage
        }
    }

    /// Releases what is kept: it may be larger than anything that is needed again.
    func removeAll() { buffers.withLock { $0.removeAll() } }
}
