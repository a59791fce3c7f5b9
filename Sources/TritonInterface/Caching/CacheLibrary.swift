internal import CTriton
internal import Tensors

/// The shared library of a response cache, with its entry points.
struct CacheLibrary: @unchecked Sendable {
    let initialize: TRITONCACHE_CacheInitializeFn_t
    let finalize: TRITONCACHE_CacheFinalizeFn_t
    let lookUp: TRITONCACHE_CacheLookupFn_t
    let insert: TRITONCACHE_CacheInsertFn_t

    /// - Throws: as ``InterfaceLibrary``; `invalidArgument` where it lacks an entry point.
    init(_ path: String) throws(HalcyonError) {
        let library = try InterfaceLibrary(path, kind: "the response cache")
        func function<Function>(_ name: String, as type: Function.Type) throws(HalcyonError) -> Function {
            try library.function(name, as: type, of: "response cache")
        }
        initialize = try function("TRITONCACHE_CacheInitialize", as: TRITONCACHE_CacheInitializeFn_t.self)
        finalize = try function("TRITONCACHE_CacheFinalize", as: TRITONCACHE_CacheFinalizeFn_t.self)
        lookUp = try function("TRITONCACHE_CacheLookup", as: TRITONCACHE_CacheLookupFn_t.self)
        insert = try function("TRITONCACHE_CacheInsert", as: TRITONCACHE_CacheInsertFn_t.self)
    }

    /// Where the library of a cache lies.
    ///
    /// - Parameter directories: the first that has it counts.
    /// - Returns: `nil` where none has it.
    static func path(of name: String, in directories: [String]) -> String? {
        InterfaceLibrary.path(of: name, file: fileName(name), in: directories)
    }

    static func fileName(_ name: String) -> String { "libtritoncache_\(name).so" }
}
