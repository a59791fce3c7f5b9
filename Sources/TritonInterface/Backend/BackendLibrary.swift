internal import CPlatform
internal import CTriton
private import Glibc
internal import LibraryFiles
internal import Tensors

/// A backend's shared library, opened, with its entry points. It stays open: its threads may outlive its models.
struct BackendLibrary: @unchecked Sendable {
    let path: String
    let initialize: TRITONBACKEND_InitializeFn_t?
    let finalize: TRITONBACKEND_InitializeFn_t?
    let attributes: TRITONBACKEND_AttributeFn_t?
    let modelInitialize: TRITONBACKEND_ModelFn_t?
    let modelFinalize: TRITONBACKEND_ModelFn_t?
    let instanceInitialize: TRITONBACKEND_ModelInstanceFn_t?
    let instanceFinalize: TRITONBACKEND_ModelInstanceFn_t?
    let instanceExecute: TRITONBACKEND_ModelInstanceExecuteFn_t

    /// What backends are linked to: the name that Triton's library has, or one that a package gave its copy.
    private static let interfaceName = "libtritonserver"
    /// How deep libraries beside a backend may need each other.
    private static let depth = 16

    /// - Throws: `invalidArgument` for a library that is damaged, of another processor, or lacks its entry point;
    ///   `unavailable` where what it needs is not there.
    init(_ path: String) throws(HalcyonError) {
        self.path = path
        let pointer = try Self.open(path)
        func function<Function>(_ name: String, as _: Function.Type) -> Function? {
            dlsym(pointer, name).map { unsafeBitCast($0, to: Function.self) }
        }
        initialize = function("TRITONBACKEND_Initialize", as: TRITONBACKEND_InitializeFn_t.self)
        finalize = function("TRITONBACKEND_Finalize", as: TRITONBACKEND_InitializeFn_t.self)
        attributes = function("TRITONBACKEND_GetBackendAttribute", as: TRITONBACKEND_AttributeFn_t.self)
        modelInitialize = function("TRITONBACKEND_ModelInitialize", as: TRITONBACKEND_ModelFn_t.self)
        modelFinalize = function("TRITONBACKEND_ModelFinalize", as: TRITONBACKEND_ModelFn_t.self)
        instanceInitialize = function(
            "TRITONBACKEND_ModelInstanceInitialize", as: TRITONBACKEND_ModelInstanceFn_t.self)
        instanceFinalize = function("TRITONBACKEND_ModelInstanceFinalize", as: TRITONBACKEND_ModelInstanceFn_t.self)
        guard
            let execute = function(
                "TRITONBACKEND_ModelInstanceExecute", as: TRITONBACKEND_ModelInstanceExecuteFn_t.self)
        else {
            throw HalcyonError(
                .invalidArgument,
                "'\(path)' is no backend: it has no function TRITONBACKEND_ModelInstanceExecute")
        }
        instanceExecute = execute
    }

    /// Backends start programs, and these would hold the server's ports and connections.
    private static let keepsDescriptors = halcyon_keep_descriptors() == 0

    private static func open(_ path: String) throws(HalcyonError) -> UnsafeMutableRawPointer {
        _ = keepsDescriptors
        try StandInLibrary.open(name: "libtritonserver.so")
        try openNeeds(of: path, depth: 0)
        guard let pointer = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            let reason = dlerror().map { String(cString: $0) } ?? "the loader gives no reason"
            throw HalcyonError(.unavailable, "the backend's library '\(path)' can't be loaded: \(reason)")
        }
        return pointer
    }

    /// Opens what lies beside a library and is needed by it, wherever it was linked to look for that.
    private static func openNeeds(of path: String, depth: Int) throws(HalcyonError) {
        let needs = try ELFNeeds(of: path)
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        for name in needs.libraries {
            if name.hasPrefix(interfaceName) {
                try StandInLibrary.open(name: name)
            } else if depth < self.depth, access("\(folder)/\(name)", R_OK) == 0,
                dlopen(name, RTLD_NOW | RTLD_NOLOAD) == nil
            {
                try openNeeds(of: "\(folder)/\(name)", depth: depth + 1)
                guard dlopen("\(folder)/\(name)", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) != nil else {
                    let reason = dlerror().map { String(cString: $0) } ?? "the loader gives no reason"
                    throw HalcyonError(.unavailable, "'\(folder)/\(name)' can't be loaded: \(reason)")
                }
            }
        }
    }
}
