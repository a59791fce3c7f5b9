internal import CTriton
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

    /// - Throws: `invalidArgument` for a library that is damaged, of another processor, or lacks its entry point;
    ///   `unavailable` where what it needs is not there.
    init(_ path: String) throws(HalcyonError) {
        self.path = path
        let library = try InterfaceLibrary(path, kind: "the backend")
        func function<Function>(_ name: String, as type: Function.Type) -> Function? {
            library.function(name, as: type)
        }
        initialize = function("TRITONBACKEND_Initialize", as: TRITONBACKEND_InitializeFn_t.self)
        finalize = function("TRITONBACKEND_Finalize", as: TRITONBACKEND_InitializeFn_t.self)
        attributes = function("TRITONBACKEND_GetBackendAttribute", as: TRITONBACKEND_AttributeFn_t.self)
        modelInitialize = function("TRITONBACKEND_ModelInitialize", as: TRITONBACKEND_ModelFn_t.self)
        modelFinalize = function("TRITONBACKEND_ModelFinalize", as: TRITONBACKEND_ModelFn_t.self)
        instanceInitialize = function(
            "TRITONBACKEND_ModelInstanceInitialize", as: TRITONBACKEND_ModelInstanceFn_t.self)
        instanceFinalize = function("TRITONBACKEND_ModelInstanceFinalize", as: TRITONBACKEND_ModelInstanceFn_t.self)
        instanceExecute = try library.function(
            "TRITONBACKEND_ModelInstanceExecute", as: TRITONBACKEND_ModelInstanceExecuteFn_t.self, of: "backend")
    }
}
