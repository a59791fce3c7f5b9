/// An object of a library, freed with the last reference to this one.
///
/// Whether it may be used from several threads is the library's to say: engines, models, sessions and options may for
/// the most part, an inference request or a value only by who has it.
package final class Handle: @unchecked Sendable {
    package let pointer: OpaquePointer
    private let free: @convention(c) (OpaquePointer) -> Void
    /// What must live as long as the object does: memory that the library does not copy.
    private let memory: AnyObject?

    package init(
        _ pointer: OpaquePointer, memory: AnyObject? = nil, free: @escaping @convention(c) (OpaquePointer) -> Void
    ) {
        self.pointer = pointer
        self.memory = memory
        self.free = free
    }

    deinit { free(pointer) }
}
