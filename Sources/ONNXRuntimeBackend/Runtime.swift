internal import COnnxRuntime
internal import Tensors

/// The engine, ready to read models. One serves all models of a backend, and is there as long as the process.
final class Runtime: @unchecked Sendable {
    let library: Library
    let environment: OpaquePointer
    /// Gives out the processor's memory.
    let allocator: OpaquePointer
    /// Says of a tensor that its data are in the processor's memory.
    let memory: OpaquePointer

    /// What the engine writes to standard error: nothing but what ends the process. Its complaints come as errors.
    private static let logLevel: Int32 = 4
    private static let arenaAllocator: Int32 = 1
    private static let defaultMemory: Int32 = 0

    init(library: Library) throws(HalcyonError) {
        self.library = library
        let functions = library.functions
        environment = try Self.object(library) { functions.create_env(Self.logLevel, "halcyon", $0) }
        allocator = try Self.object(library) { functions.get_allocator_with_default_options($0) }
        memory = try Self.object(library) {
            functions.create_cpu_memory_info(Self.arenaAllocator, Self.defaultMemory, $0)
        }
    }

    private static func object(
        _ library: Library, _ body: (UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?
    ) throws(HalcyonError) -> OpaquePointer {
        var pointer: OpaquePointer?
        try library.check(body(&pointer), "ONNX Runtime can't be started")
        guard let pointer else { throw HalcyonError(.internal, "ONNX Runtime can't be started: it gave nothing back") }
        return pointer
    }
}
