internal import Logging
internal import ModelConfigurations
internal import Tensors

/// A model that was found and whose inputs and outputs are known: as it was read, or as a file that holds it compiled.
struct OpenedModel {
    /// Of the file that it is read from.
    var path: String
    var layout: TensorLayout
    var cache: LayoutCache?
    /// `nil` where the layout was known from an earlier load, and for one that is compiled.
    var model: SourceModel?
    var file: CompiledModelFile?

    /// Finds out what a path holds.
    ///
    /// - Throws: what stands against using the file; for a compiled model that can't be used, only where the model that
    ///   it was made of does not lie beside it.
    static func open(
        _ path: String, _ runtime: Runtime, _ configuration: ModelConfiguration, _ parameters: ModelParameters,
        _ log: Logger
    ) throws(HalcyonError) -> OpenedModel {
        guard ModelFormat(path: path) == .compiled else {
            return try read(path, runtime, configuration, parameters)
        }
        let source = CompiledModelFile.source(beside: path)
        do throws(HalcyonError) {
            let file = try CompiledModelFile(path: path, engineVersion: runtime.library.version)
            guard let source else { return try alone(file, runtime, configuration, parameters) }
            var opened = try read(source, runtime, configuration, parameters)
            // Compiled is the model as it was; what the configuration makes of it must be compiled now.
            if parameters.reshapesInputs || opened.layout.batch == .opened {
                log.notice(
                    "the compiled model is not used, as the configuration changes the model's inputs",
                    metadata: ["file": "\(path)", "used": "\(source)"])
            } else {
                opened.file = file
            }
            return opened
        } catch {
            guard let source else {
                throw error.reworded(error.message + "; and the model that it was compiled from is not beside it")
            }
            warn(log, error, using: source)
            return try read(source, runtime, configuration, parameters)
        }
    }

    /// A compiled model without its source says itself what its inputs and outputs are.
    private static func alone(
        _ file: CompiledModelFile, _ runtime: Runtime, _ configuration: ModelConfiguration,
        _ parameters: ModelParameters
    ) throws(HalcyonError) -> OpenedModel {
        let compiled = try file.load(runtime, settings: [:])
        let layout = try TensorLayout(
            compiled: PortTable(of: compiled, isCompiled: true, library: runtime.library),
            configuration: configuration, parameters: parameters)
        return OpenedModel(path: file.path, layout: layout, cache: nil, model: nil, file: file)
    }

    private static func read(
        _ path: String, _ runtime: Runtime, _ configuration: ModelConfiguration, _ parameters: ModelParameters
    ) throws(HalcyonError) -> OpenedModel {
        let cache = LayoutCache(
            path: path, engineVersion: runtime.library.version, configuration: configuration, parameters: parameters)
        if let known = cache?.layout() {
            return OpenedModel(path: path, layout: known, cache: cache, model: nil, file: nil)
        }
        let model = try SourceModel(runtime: runtime, path: path)
        let layout = try TensorLayout(model, path: path, configuration: configuration, parameters: parameters)
        return OpenedModel(path: path, layout: layout, cache: cache, model: model, file: nil)
    }

    static func warn(_ log: Logger, _ error: HalcyonError, using source: String) {
        log.warning(
            "the compiled model is not used", metadata: ["reason": "\(error.message)", "used": "\(source)"])
    }
}
