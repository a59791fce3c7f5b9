/// An object of the engine, freed with the last reference to this one.
///
/// The engine's sessions and options may be used from several threads, a value only by who has it.
final class Handle: @unchecked Sendable {
    let pointer: OpaquePointer
    private let free: @convention(c) (OpaquePointer) -> Void

    init(_ pointer: OpaquePointer, free: @escaping @convention(c) (OpaquePointer) -> Void) {
        self.pointer = pointer
        self.free = free
    }

    deinit { free(pointer) }
}
