/// An object of the engine, freed with the last reference to this one.
///
/// The engine's objects may be used from several threads, an inference request only from one at a time.
final class Handle: @unchecked Sendable {
    let pointer: OpaquePointer
    private let free: @convention(c) (OpaquePointer) -> Void
    /// What must live as long as the object does: memory that the engine does not copy.
    private let memory: AnyObject?

    init(
        _ pointer: OpaquePointer, memory: AnyObject? = nil, free: @escaping @convention(c) (OpaquePointer) -> Void
    ) {
        self.pointer = pointer
        self.memory = memory
        self.free = free
    }

    deinit { free(pointer) }
}
