import COnnxRuntime
import CUDADriver
import Foundation
import HalcyonTestKit
import LibraryFiles
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@testable import ONNXRuntimeBackend

/// What a configuration says of accelerators, as the engine takes it.
struct ProviderPlanTests {
    private func plan(
        gpu: [ExecutionAccelerator] = [], cpu: [ExecutionAccelerator] = [], model: [String: String] = [:],
        backend: [String: String] = [:]
    ) throws -> ProviderPlan {
        var optimization = ModelOptimization()
        optimization.gpuAccelerators = gpu
        optimization.cpuAccelerators = cpu
        return try ProviderPlan(
            optimization, ModelParameters(backend: backend, model: model, modelName: "m"), modelName: "m")
    }

    private func tensorRT(_ parameters: [String: String]) -> [ExecutionAccelerator] {
        [ExecutionAccelerator(name: "tensorrt", parameters: parameters)]
    }

    @Test func `Without a word CUDA alone runs what is on a GPU, in one session`() throws {
        let plan = try plan()
        #expect(plan.onGPU == [ExecutionProvider(kind: .cuda)])
        #expect(plan.onCPU.isEmpty && plan.sharesSession && !plan.isForGPUs)
    }

    @Test func `TensorRT comes before CUDA, with Triton's parameters under the engine's names`() throws {
        let plan = try plan(
            gpu: tensorRT([
                "precision_mode": "FP16", "max_workspace_size_bytes": "1073741824", "trt_timing_cache_enable": "true",
                "trt_profile_min_shapes": "input_1:1x3x544x960", "trt_builder_optimization_level": "5",
                "trt_engine_cache_enable": "1", "int8_use_native_calibration_table": "False",
            ]),
            backend: ["trt_engine_cache_path": "/var/cache/engines"])
        #expect(plan.onGPU.map(\.kind) == [.tensorRT, .cuda])
        #expect(
            plan.onGPU.first?.options == [
                "trt_fp16_enable": "1", "trt_max_workspace_size": "1073741824", "trt_timing_cache_enable": "1",
                "trt_profile_min_shapes": "input_1:1x3x544x960", "trt_builder_optimization_level": "5",
                "trt_engine_cache_enable": "1", "trt_engine_cache_path": "/var/cache/engines",
                "trt_timing_cache_path": "/var/cache/engines", "trt_int8_use_native_calibration_table": "0",
            ])
        #expect(!plan.sharesSession && plan.isForGPUs)
    }

    @Test func `CUDA's options are given in the accelerator or, the older way, in the parameters`() throws {
        let plan = try plan(
            gpu: [ExecutionAccelerator(name: "cuda", parameters: ["gpu_mem_limit": "1000", "use_tf32": "0"])],
            model: ["cudnn_conv_algo_search": "1", "gpu_mem_limit": "7", "arena_extend_strategy": "1"])
        #expect(
            plan.onGPU == [
                ExecutionProvider(
                    kind: .cuda,
                    options: [
                        "cudnn_conv_algo_search": "HEURISTIC", "gpu_mem_limit": "1000",
                        "arena_extend_strategy": "kSameAsRequested", "use_tf32": "0",
                    ])
            ])
    }

    @Test(arguments: [("true", true), ("0", false)])
    func `Whether a session is shared may be said`(value: String, expected: Bool) throws {
        #expect(
            try plan(gpu: tensorRT([:]), model: ["share_session_between_instances": value]).sharesSession == expected)
    }

    @Test(arguments: [
        (
            ["precision_mode": "FP8"],
            "parameter 'precision_mode' of the execution accelerator 'tensorrt' is 'FP8'; expected FP32, FP16, BF16 "
                + "or INT8"
        ),
        (["max_workspace_size_bytes": "lots"], "is 'lots'; expected a whole number"),
        (["trt_dla_enable": "yes"], "is 'yes'; expected 1 or 0"),
        (["trt_profile_max_shapes": "1x3"], "is '1x3'; expected INPUT:1x3x2,OTHER:1x4, the sizes of each input"),
        (["trt_engine_cache_path": "/etc"], "names a path, which only the server's operator sets"),
        (["trt_extra_plugin_lib_paths": "/tmp/x.so"], "names a path, which only the server's operator sets"),
        (["trt_engine_cache_prefix": "../x"], "is '../x'; expected a file's name without a folder"),
        (["trt_dump_subgraphs": "1"], "writes files into the server's working directory"),
        (["trt_cuda_graph_enable": "1"], "needs inputs and outputs at the same addresses"),
        (["segment_size": "1"], "does not exist; expected int8_calibration_table_name, "),
        (
            ["trt_engine_cache_enable": "1"],
            "needs a folder, which the server's operator sets: --backend-config "
                + "onnxruntime,trt_engine_cache_path=FOLDER"
        ),
    ])
    func `Wrong parameters are refused by name`(parameters: [String: String], complaint: String) throws {
        let refused = try #require(error { try plan(gpu: tensorRT(parameters)) })
        #expect(refused.message.hasPrefix("model 'm': parameter '"))
        #expect(refused.message.contains(complaint), "\(refused.message)")
    }

    @Test func `Paths and devices are no model's to set, in the older way neither`() throws {
        let path = try #require(error { try plan(model: ["trt_engine_cache_path": "/etc"]) })
        #expect(
            path.code == .unsupported && path.message.contains("names a path, which only the server's operator sets"))
        let device = try #require(
            error { try plan(gpu: [ExecutionAccelerator(name: "cuda", parameters: ["device_id": "1"])]) })
        #expect(device.message.hasSuffix("is chosen by the instance group's gpus"))
    }

    @Test func `Unknown accelerators are refused in Triton's words`() throws {
        let gpu = try #require(error { try plan(gpu: [ExecutionAccelerator(name: "unknown_gpu")]) })
        #expect(
            gpu.message
                == "model 'm': unknown Execution Accelerator 'unknown_gpu' is requested as a "
                + "gpu_execution_accelerator; expected tensorrt or cuda")
        let cpu = try #require(error { try plan(cpu: [ExecutionAccelerator(name: "tensorrt")]) })
        #expect(cpu.message.hasSuffix("expected openvino"))
    }

    @Test func `Complaints about memory and about foreign engines say what to do`() {
        let memory = EngineFailure.explained(HalcyonError(.internal, "BFCArena: Failed to allocate memory for 5 bytes"))
        #expect(memory.code == .unavailable)
        let engine = EngineFailure.explained(HalcyonError(.internal, "could not Deserialize engine from cache"))
        #expect(engine.message.contains("was built for another GPU or by another version: empty the folder"))
        let library = EngineFailure.explained(
            HalcyonError(.internal, "Failed to load library x.so with error: libcublas.so.13: cannot open"))
        #expect(library.message.contains("needs NVIDIA's libraries of CUDA and cuDNN"))
        #expect(EngineFailure.explained(HalcyonError(.internal, "x")) == HalcyonError(.internal, "x"))
    }
}

/// The functions of the real library for execution providers, whatever it was built with.
@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct ProviderTests {
    private let runtime: Runtime

    init() throws { runtime = try Runtime(library: Library.open(directories: [Engine.directory], systemNames: [])) }

    @Test func `The library says which providers it has, and has the functions for all`() {
        #expect(runtime.providers.last == "CPUExecutionProvider")
        #expect(runtime.takesStreams)
        if !runtime.providers.contains("CUDAExecutionProvider") {
            #expect(runtime.cudaAbsence?.message.contains("has no CUDAExecutionProvider") == true)
        }
        #expect(runtime.library.functions.append_provider != nil)
        // A word for a GPU's memory takes no GPU.
        #expect(throws: Never.self) { try runtime.memory(ofGPU: 3) }
    }

    @Test(arguments: ExecutionProvider.Kind.allCases)
    func `What the library has no provider for is refused with those it has and what brings it`(
        kind: ExecutionProvider.Kind
    ) throws {
        guard !runtime.providers.contains(kind.rawValue) else { return }
        let settings = SessionSettings(
            graphOptimization: .all, intraOpThreads: 1, interOpThreads: 1,
            parameters: try ModelParameters(backend: [:], model: [:], modelName: "m"),
            providers: [ExecutionProvider(kind: kind)])
        let refused = try #require(error { try settings.options(runtime) })
        #expect(refused.code == .unsupported)
        #expect(
            refused.message
                == "the installed ONNX Runtime \(runtime.library.version) has no \(kind.rawValue), only "
                + "\(runtime.providers.joined(separator: ", ")): it comes with the package '\(kind.package)' on PyPI")
    }

    @Test func `The functions stand where the header says: each refuses what this library lacks, by name`() throws {
        guard runtime.providers.allSatisfy({ !["CUDAExecutionProvider", "OpenVINOExecutionProvider"].contains($0) })
        else { return }
        let functions = runtime.library.functions
        let options = try SessionSettings.reading(ModelParameters(backend: [:], model: [:], modelName: "m")).options(
            runtime)
        var made: OpaquePointer?
        let createCUDA = try #require(functions.create_cuda_options)
        let cuda = message(createCUDA(&made))
        #expect(cuda.contains("CUDA execution provider"), "\(cuda)")
        let createTensorRT = try #require(functions.create_tensorrt_options)
        let tensorRT = message(createTensorRT(&made))
        #expect(tensorRT.contains("TensorRT execution provider"), "\(tensorRT)")
        let append = try #require(functions.append_provider)
        for name in ["OpenVINO", "Nonsense"] {
            let refused = "device_type".withCString { text in
                message(append(options.pointer, name, [text], [text], 1))
            }
            #expect(refused.contains(name), "\(refused)")
        }
    }

    private func message(_ status: OpaquePointer?) -> String {
        do throws(HalcyonError) {
            try runtime.library.check(status, "")
            return "success"
        } catch { return error.message }
    }

    @Test
    func
        `A model with a missing accelerator does not load, and on the processor one for GPUs is passed over`()
        throws
    {
        let path = try ONNXModel.doubling([-1, 2]).write()
        guard !runtime.providers.contains("OpenVINOExecutionProvider") else { return }
        let refused = try #require(
            error {
                try Engine.load(path) { $0.optimization.cpuAccelerators = [ExecutionAccelerator(name: "openvino")] }
            })
        #expect(refused.message.hasPrefix("model 'model': the installed ONNX Runtime "))
        #expect(refused.message.contains("has no OpenVINOExecutionProvider"))
        let passed = try Engine.load(path) {
            $0.optimization.gpuAccelerators = [ExecutionAccelerator(name: "tensorrt")]
        }
        #expect(passed.properties.contains { $0.name == "execution provider" && $0.value == "CPU" })
    }

    @Test func `A group on a GPU needs a library with CUDA`() throws {
        guard !runtime.providers.contains("CUDAExecutionProvider") else { return }
        #expect(Engine.backend.gpuSupport == .notInstalled)
        let refused = try #require(
            error {
                try Engine.load(ONNXModel.doubling([-1, 2]).write()) {
                    $0.instanceGroups = [InstanceGroup(name: "g", kind: .gpu, gpus: [0])]
                }
            })
        #expect(refused.message.contains("has no CUDAExecutionProvider"))
        #expect(refused.message.hasSuffix("it comes with the package 'onnxruntime-gpu' on PyPI"))
    }
}
