internal import ModelConfigurations
internal import Tensors

/// Which execution providers the instances of a model run with, on the processor and on GPUs.
struct ProviderPlan: Hashable, Sendable {
    /// What instances on a GPU run with, except for its number; TensorRT first, and CUDA last.
    var onGPU: [ExecutionProvider]
    /// What instances on the processor run with; empty for the engine's own code.
    var onCPU: [ExecutionProvider]
    /// Whether all instances of a GPU share one session, and the model's weights with it.
    ///
    /// CUDA's provider gives each run a stream. TensorRT's lets one run at a time into a session, so there each
    /// instance has one of its own.
    var sharesSession: Bool
    /// Whether the configuration says anything of GPUs.
    var isForGPUs: Bool

    /// - Throws: `invalidArgument` or `unsupported` that names the accelerator or the parameter.
    init(
        _ optimization: ModelOptimization, _ parameters: ModelParameters, modelName: String
    ) throws(HalcyonError) {
        let subject = "model '\(modelName)'"
        var tensorRT: ExecutionProvider?
        var cuda = ExecutionProvider(
            kind: .cuda,
            options: try AcceleratorOptions.options(of: .cuda, parameters.cudaOptions, subject: subject))
        for accelerator in optimization.gpuAccelerators {
            switch accelerator.name {
            case "tensorrt":
                tensorRT = try Self.tensorRT(accelerator, parameters, subject)
            case "cuda":
                let options = try AcceleratorOptions.options(of: .cuda, accelerator.parameters, subject: subject)
                cuda.options.merge(options) { _, new in new }
            default: throw Self.unknown(accelerator.name, "gpu", expected: "tensorrt or cuda", subject)
            }
        }
        onCPU = []
        for accelerator in optimization.cpuAccelerators {
            guard accelerator.name == "openvino" else {
                throw Self.unknown(accelerator.name, "cpu", expected: "openvino", subject)
            }
            onCPU.append(
                ExecutionProvider(
                    kind: .openVINO,
                    options: try AcceleratorOptions.options(
                        of: .openVINO, accelerator.parameters, subject: subject
                    ).merging(["device_type": "CPU"]) { _, new in new }))
        }
        onGPU = [tensorRT].compactMap(\.self) + [cuda]
        isForGPUs = !optimization.gpuAccelerators.isEmpty
        sharesSession = parameters.sharesSession ?? (tensorRT == nil)
    }

    private static func tensorRT(
        _ accelerator: ExecutionAccelerator, _ parameters: ModelParameters, _ subject: String
    ) throws(HalcyonError) -> ExecutionProvider {
        var options = try AcceleratorOptions.options(
            of: .tensorRT, accelerator.parameters, subject: subject)
        for (flag, path) in [
            ("trt_engine_cache_enable", "trt_engine_cache_path"), ("trt_timing_cache_enable", "trt_timing_cache_path"),
        ] where options[flag] == "1" {
            guard let folder = parameters.cacheFolders[path] ?? parameters.cacheFolders["trt_engine_cache_path"] else {
                throw HalcyonError(
                    .invalidArgument,
                    "\(subject): parameter '\(flag)' needs a folder, which the server's operator sets: "
                        + "--backend-config onnxruntime,\(path)=FOLDER")
            }
            options[path] = folder
        }
        return ExecutionProvider(kind: .tensorRT, options: options)
    }

    private static func unknown(
        _ name: String, _ device: String, expected: String, _ subject: String
    ) -> HalcyonError {
        HalcyonError(
            .invalidArgument,
            "\(subject): unknown Execution Accelerator '\(name)' is requested as a \(device)_execution_accelerator; "
                + "expected \(expected)")
    }
}
