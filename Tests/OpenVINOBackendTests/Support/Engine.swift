import Foundation
import HalcyonTestKit
import Logging
import ModelConfigurations
import ModelRuntime
import OpenVINOBackend
import Tensors
import Threads

/// The engine as the tests use it, and where the files lie that only some machines have.
enum Engine {
    private static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    static let directory = packageRoot + "/.deps/backends/openvino"
    static let sharedModels = packageRoot + "/../shared/models"
    static let pedestrianModel = packageRoot + "/.deps/models/pedestrian_ssdlite/frozen_inference_graph.pb"

    static let isAvailable =
        (try? FileManager.default.contentsOfDirectory(atPath: directory))?
        .contains { $0.hasPrefix("libopenvino_c.so") } == true
    static let hasSharedModels = isAvailable && FileManager.default.fileExists(atPath: sharedModels)
    static let hasPedestrianModel = isAvailable && FileManager.default.fileExists(atPath: pedestrianModel)

    static let absent = "the OpenVINO runtime is not in .deps/backends/openvino"
    static let sharedAbsent = "the OpenVINO runtime is not in .deps/backends/openvino, or ../shared/models is absent"
    static let pedestrianAbsent = "the OpenVINO runtime or the pedestrian model is not in .deps"

    static let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    static let backend = OpenVINOEngine(options: .init(libraryDirectories: [directory]))

    /// Opens a model with a configuration of nothing but what `configure` sets.
    static func open(
        _ path: String, backend: OpenVINOEngine = backend, configure: (inout ModelConfiguration) -> Void = { _ in }
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
        _ path: String, backend: OpenVINOEngine = backend,
        plan: CPUPlan = CPUPlan(instances: 1, streams: 1, threads: 1),
        configure: (inout ModelConfiguration) -> Void = { _ in }
    ) throws -> any BackendModel {
        let model = try open(path, backend: backend, configure: configure)
        var configuration = ModelConfiguration(name: "model")
        configure(&configuration)
        try model.prepare(for: configuration, plan: plan)
        return model
    }

    /// Loads a model and makes an instance of it.
    static func instance(
        _ path: String, plan: CPUPlan = CPUPlan(instances: 1, streams: 1, threads: 1),
        configure: (inout ModelConfiguration) -> Void = { _ in }
    ) throws -> any ModelInstance {
        try load(path, plan: plan, configure: configure).instance()
    }
}

extension BackendModel {
    func instance(_ index: Int = 0) throws -> any ModelInstance {
        try makeInstance(InstanceIdentity(name: "model_\(index)", kind: .cpu, index: index))
    }
}

extension ModelInstance {
    /// Runs one batch; its size is the first dimension of the first input, or 1.
    func run(
        _ inputs: [Tensor], wanting outputs: Set<String>? = nil, memory: CallersMemory? = nil
    ) throws -> [String: Tensor] {
        var batch = ExecutionBatch(
            inputs: inputs, batchSize: inputs.first?.shape.dimensions.first ?? 1, requestedOutputs: outputs,
            clock: CountingClock(), outputMemory: memory)
        let results = try execute(&batch)
        return Dictionary(results.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

/// A clock that gets later by one nanosecond whenever somebody looks at it.
final class CountingClock: MonotonicClock, @unchecked Sendable {
    private let lock = NSLock()
    private var time: UInt64 = 0

    func now() -> UInt64 {
        lock.withLock {
            time += 1
            return time
        }
    }
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
