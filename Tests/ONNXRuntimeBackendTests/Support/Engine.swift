import Foundation
import HalcyonTestKit
import Logging
import ModelConfigurations
import ModelRuntime
import ONNXRuntimeBackend
import Tensors
import Threads

/// The engine as the tests use it, and where the files lie that only some machines have.
enum Engine {
    private static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    static let directory = packageRoot + "/.deps/backends/onnxruntime"
    static let sharedModels = packageRoot + "/../shared/models"

    static let library = (try? FileManager.default.contentsOfDirectory(atPath: directory))?
        .first { $0.hasPrefix("libonnxruntime.so") }
        .map { "\(directory)/\($0)" }
    static let isAvailable = library != nil
    static let hasSharedModels = isAvailable && FileManager.default.fileExists(atPath: sharedModels)

    static let otherLibrary = packageRoot + "/.deps/backends/openvino/libtbb.so.12"
    static let hasOtherLibrary = FileManager.default.fileExists(atPath: otherLibrary)

    static let absent = "ONNX Runtime is not in .deps/backends/onnxruntime"
    static let sharedAbsent = "ONNX Runtime is not in .deps/backends/onnxruntime, or ../shared/models is absent"

    private static let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    static let backend = ONNXRuntimeEngine(options: .init(libraryDirectories: [directory]))

    /// Opens a model with a configuration of nothing but what `configure` sets.
    static func open(
        _ path: String, backend: ONNXRuntimeEngine = backend, configure: (inout ModelConfiguration) -> Void = { _ in }
    ) throws -> any BackendModel {
        var configuration = ModelConfiguration(name: "model")
        configure(&configuration)
        return try backend.openModel(
            ModelSource(
                modelName: "model", version: 1, configuration: configuration, modelDirectory: "/", modelPath: path,
                log: log))
    }

    /// Opens and prepares a model.
    static func load(
        _ path: String, plan: CPUPlan = CPUPlan(instances: 1, streams: 1, threads: 1),
        configure: (inout ModelConfiguration) -> Void = { _ in }
    ) throws -> any BackendModel {
        let model = try open(path, configure: configure)
        var configuration = ModelConfiguration(name: "model")
        configure(&configuration)
        try model.prepare(for: configuration, plan: plan)
        return model
    }

    /// Loads a model and makes an instance of it.
    static func instance(
        _ model: ONNXModel, configure: (inout ModelConfiguration) -> Void = { _ in }
    ) throws -> any ModelInstance {
        try load(model.write(), configure: configure).makeInstance(
            InstanceIdentity(name: "model_0", kind: .cpu, index: 0))
    }
}

extension ModelInstance {
    /// Runs one batch; its size is the first dimension of the first input, or 1.
    func run(
        _ inputs: [Tensor], wanting outputs: Set<String>? = nil, memory: CallersMemory? = nil
    ) throws -> [String: Tensor] {
        var batch = ExecutionBatch(
            inputs: inputs, batchSize: inputs.first?.shape.dimensions.first ?? 1, requestedOutputs: outputs,
            clock: StillClock(), outputMemory: memory)
        let results = try execute(&batch)
        return Dictionary(results.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

private struct StillClock: MonotonicClock {
    func now() -> UInt64 { 1 }
}

/// What `body` throws, if that is the engine's error type.
func error(of body: () throws -> some Any) -> HalcyonError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? HalcyonError
    }
}
