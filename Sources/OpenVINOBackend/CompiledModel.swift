internal import COpenVINO
private import Glibc
internal import ModelRuntime
internal import Tensors

/// A model that the engine has made ready to run. All instances of a version share one, and so its weights.
final class CompiledModel: Sendable {
    let library: Library
    let layout: TensorLayout
    let requests: RequestPool
    /// Whether an inference computes on the thread that asks for it, whichever that is.
    ///
    /// With one stream it does. With several, the engine ties each thread that comes to one stream, and two busy
    /// threads may be tied to the same one while another stream is idle; so the engine's own threads, which take their
    /// work from one queue, do it.
    let computesOnCallerThread: Bool
    /// What the engine has settled on, for the log.
    let properties: [(name: String, value: String)]

    init(
        _ source: SourceModel, runtime: Runtime, layout: TensorLayout, parameters: ModelParameters, plan: CPUPlan
    ) throws(HalcyonError) {
        library = runtime.library
        self.layout = layout
        let functions = library.functions
        let settings = EngineProperties.settings(parameters, plan: plan)
        let compiled = try library.make(
            code: .invalidArgument, free: functions.ov_compiled_model_free, "OpenVINO can't compile the model"
        ) { result in
            EngineProperties.withCProperties(settings) {
                functions.ov_core_compile_model_props(
                    runtime.core.pointer, source.handle.pointer, "CPU", $0.count, $0.baseAddress, result)
            }
        }
        let values = EngineProperties.values(of: compiled, library)
        properties = values.described(cacheDirectory: parameters.cacheDirectory)
        computesOnCallerThread = values.streams == 1
        requests = RequestPool(library: library, compiled: compiled, retained: max(4, 2 * plan.instances))
    }
}
