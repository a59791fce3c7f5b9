internal import CTriton
private import Glibc
private import LibraryFiles
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// A shared library of custom batching, with its entry points.
struct BatchStrategyLibrary: @unchecked Sendable {
    static let fileName = "batchstrategy.so"

    let path: String
    let batcherInitialize: TRITONBACKEND_ModelBatcherInitializeFn_t
    let batcherFinalize: TRITONBACKEND_ModelBatcherFinalizeFn_t
    let batchInitialize: TRITONBACKEND_ModelBatchInitializeFn_t
    let includeRequest: TRITONBACKEND_ModelBatchIncludeRequestFn_t
    let batchFinalize: TRITONBACKEND_ModelBatchFinalizeFn_t

    /// - Throws: as ``InterfaceLibrary``; `invalidArgument` where it lacks an entry point.
    init(_ path: String) throws(HalcyonError) {
        self.path = path
        let library = try InterfaceLibrary(path, kind: "the custom batching")
        func function<Function>(_ name: String, as type: Function.Type) throws(HalcyonError) -> Function {
            try library.function("TRITONBACKEND_Model\(name)", as: type, of: "library of custom batching")
        }
        batcherInitialize = try function("BatcherInitialize", as: TRITONBACKEND_ModelBatcherInitializeFn_t.self)
        batcherFinalize = try function("BatcherFinalize", as: TRITONBACKEND_ModelBatcherFinalizeFn_t.self)
        batchInitialize = try function("BatchInitialize", as: TRITONBACKEND_ModelBatchInitializeFn_t.self)
        includeRequest = try function("BatchIncludeRequest", as: TRITONBACKEND_ModelBatchIncludeRequestFn_t.self)
        batchFinalize = try function("BatchFinalize", as: TRITONBACKEND_ModelBatchFinalizeFn_t.self)
    }

    /// Where a model's is: what its parameter names, or else the usual file in the folder of the version, of the model
    /// or of the backend.
    ///
    /// - Parameters:
    ///   - isAllowed: whether it may lie in one of those, too, and not only in the backend's folder.
    ///   - own: the folders of the version and of the model.
    /// - Returns: `nil` where it has none.
    /// - Throws: `unsupported` for one that lies where it is not allowed; `invalidArgument` for a model with sequences;
    ///   `notFound` for a named file that is not there, or lies elsewhere: whoever may load a model by a configuration
    ///   alone learns nothing of other files.
    static func path(
        for configuration: ModelConfiguration, own: [String], backend folder: String, isAllowed: Bool
    ) throws(HalcyonError) -> String? {
        let parameter = ModelBackends.strategyParameter
        if let named = configuration.parameters[parameter] {
            guard configuration.sequenceBatching == nil else {
                throw HalcyonError(
                    .invalidArgument,
                    "model '\(configuration.name)': \(parameter) cannot be specified with sequence batcher")
            }
            let folders = (isAllowed ? own : []) + [folder]
            guard let file = LibraryFolder.realPath(named), folders.contains(where: { isInside(file, $0) }),
                access(file, R_OK) == 0
            else {
                throw HalcyonError(
                    .notFound,
                    "model '\(configuration.name)': batching library path not found: \(named); \(parameter) names a "
                        + "library in the backend's folder or, with --allow-model-backends, in the model's")
            }
            return file
        }
        guard configuration.dynamicBatching != nil else { return nil }
        let files = own.map { "\($0)/\(fileName)" }
        if let file = files.first(where: { access($0, R_OK) == 0 }) {
            guard isAllowed else { throw notAllowed(configuration, "'\(file)'") }
            return file
        }
        let file = "\(folder)/\(fileName)"
        return access(file, R_OK) == 0 ? file : nil
    }

    private static func notAllowed(_ configuration: ModelConfiguration, _ file: String) -> HalcyonError {
        HalcyonError(
            .unsupported,
            "model '\(configuration.name)': the library of custom batching \(file) is code and lies outside of the "
                + "backend's folder: --allow-model-backends has it loaded")
    }

    /// - Parameter file: without links.
    private static func isInside(_ file: String, _ folder: String) -> Bool {
        LibraryFolder.realPath(folder).map { file.hasPrefix("\($0)/") } ?? false
    }
}
