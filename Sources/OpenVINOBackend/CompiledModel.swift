internal import COpenVINO
internal import LibraryFiles
internal import ModelRuntime
internal import Tensors

/// A model that the engine has made ready to run. All instances of a version share one, and so its weights.
final class CompiledModel: Sendable {
    let library: Library
    let layout: TensorLayout
    let requests: RequestPool
    let certainOutputs: CertainOutputs
    /// What the engine has settled on, for the log.
    let properties: [(name: String, value: String)]

    /// - Parameters:
    ///   - source: the model as it was read; `nil` where the engine shall take it from the file, which it does not even
    ///     read if the compiled model is in its cache.
    ///   - instances: how many executions there may be at a time.
    convenience init(
        _ source: SourceModel?, path: String, runtime: Runtime, layout: TensorLayout, settings: [String: String],
        instances: Int
    ) throws(HalcyonError) {
        let library = runtime.library
        let functions = library.functions
        let core = runtime.core.pointer
        let compiled = try library.make(
            code: .invalidArgument, free: functions.ov_compiled_model_free, "OpenVINO can't compile the model"
        ) { result in
            EngineProperties.withCProperties(settings) { properties in
                let (count, first) = (properties.count, properties.baseAddress)
                guard let source else {
                    return functions.ov_core_compile_model_from_file_props(core, path, "CPU", count, first, result)
                }
                return functions.ov_core_compile_model_props(core, source.handle.pointer, "CPU", count, first, result)
            }
        }
        library.keepOpen()
        self.init(
            compiled, library: library, layout: layout, cacheDirectory: settings["CACHE_DIR"], instances: instances)
    }

    /// - Parameters:
    ///   - compiled: what the engine made.
    ///   - cacheDirectory: where the engine keeps compiled models, if it does.
    init(
        _ compiled: Handle, library: Library, layout: TensorLayout, cacheDirectory: String?, instances: Int
    ) {
        self.library = library
        self.layout = layout
        properties = EngineProperties.values(of: compiled, library).described(cacheDirectory: cacheDirectory)
        certainOutputs = CertainOutputs(count: layout.outputs.count)
        requests = RequestPool(library: library, compiled: compiled, retained: max(4, 2 * instances))
    }
}
