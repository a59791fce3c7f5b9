internal import COnnxRuntime
internal import LibraryFiles
internal import Tensors
internal import Threads

/// The engine, ready to read models. One serves all models of a backend, and is there as long as the process.
final class Runtime: @unchecked Sendable {
    let library: Library
    let environment: OpaquePointer
    /// Gives out the processor's memory.
    let allocator: OpaquePointer
    /// Says of a tensor that its data are in the processor's memory.
    let memory: OpaquePointer

    /// The execution providers that the library was built with, by their names.
    let providers: [String]
    /// Why nothing runs on a GPU; `nil` where it can. Asking loads the provider, and CUDA with it.
    var cudaAbsence: HalcyonError? { cudaCheck.withLock { $0.result(self) } }
    private let cudaCheck = Locked(CUDACheck())

    private struct CUDACheck {
        var known: HalcyonError??

        mutating func result(_ runtime: Runtime) -> HalcyonError? {
            if let known { return known }
            let found = runtime.findCUDA()
            known = .some(found)
            return found
        }
    }

    /// What the engine writes to standard error: nothing but what ends the process. Its complaints come as errors.
    private static let logLevel: Int32 = 4
    private static let arenaAllocator: Int32 = 1
    private static let defaultMemory: Int32 = 0

    /// The threads that all sessions share.
    struct SharedThreads: Equatable, Sendable {
        /// Within an operator, the caller's among them.
        var intraOp: Int
        /// Operators side by side.
        var interOp: Int
    }

    /// Whether sessions have no threads of their own.
    let sharesThreads: Bool

    /// - Parameter threads: `nil` for sessions with threads of their own.
    init(library: Library, threads: SharedThreads? = nil) throws(HalcyonError) {
        self.library = library
        let functions = library.functions
        sharesThreads = threads != nil
        // The engine has one environment a process, which is the first that was asked for, and only one that was made
        // with threads lends them to sessions. One thread is the caller's, so this costs a process nothing that shares
        // none.
        environment = try Self.environment(library, threads ?? SharedThreads(intraOp: 1, interOp: 1))
        allocator = try Self.object(library) { functions.get_allocator_with_default_options($0) }
        memory = try Self.object(library) {
            functions.create_cpu_memory_info(Self.arenaAllocator, Self.defaultMemory, $0)
        }
        providers = try Self.providers(library)
    }

    private static func environment(
        _ library: Library, _ threads: SharedThreads
    ) throws(HalcyonError) -> OpaquePointer {
        let functions = library.functions
        let attempt = "ONNX Runtime does not make the threads that all models share"
        let options = try library.make(free: functions.release_threading_options, attempt) {
            functions.create_threading_options($0)
        }
        try library.check(
            functions.set_global_intra_op_threads(options.pointer, Int32(clamping: threads.intraOp)), attempt)
        try library.check(
            functions.set_global_inter_op_threads(options.pointer, Int32(clamping: threads.interOp)), attempt)
        return try object(library) {
            functions.create_env_with_global_thread_pools(logLevel, "halcyon", options.pointer, $0)
        }
    }

    private static func providers(_ library: Library) throws(HalcyonError) -> [String] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        var count: Int32 = 0
        let attempt = "ONNX Runtime does not say which execution providers it has"
        try library.check(library.functions.get_available_providers(&names, &count), attempt)
        guard let names else { return [] }
        let list = UnsafeBufferPointer(start: names, count: Int(max(0, count))).compactMap { $0 }
        let texts = list.map { String(cString: $0) }
        try library.check(library.functions.release_available_providers(names, count), attempt)
        return texts
    }

    /// Says of a tensor that its data are in a GPU's memory, or in the processor's for a number of `nil`.
    func memory(ofGPU number: Int?) throws(HalcyonError) -> Handle {
        let functions = library.functions
        let device = Int32(clamping: number ?? 0)
        return try library.make(
            free: functions.release_memory_info, "ONNX Runtime knows no memory of GPU \(device)"
        ) {
            functions.create_memory_info(
                number == nil ? "Cpu" : "Cuda", Self.deviceAllocator, device, Self.defaultMemory, $0)
        }
    }

    private static let deviceAllocator: Int32 = 0

    private static func object(
        _ library: Library, _ body: (UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?
    ) throws(HalcyonError) -> OpaquePointer {
        var pointer: OpaquePointer?
        try library.check(body(&pointer), "ONNX Runtime can't be started")
        guard let pointer else { throw HalcyonError(.internal, "ONNX Runtime can't be started: it gave nothing back") }
        return pointer
    }
}
