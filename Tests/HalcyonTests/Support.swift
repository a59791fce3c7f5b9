import Foundation
import Halcyon
import HalcyonTestKit
import Threads

/// A model repository in a temporary folder, gone with the value.
final class TemporaryRepository: Sendable {
    let path: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("halcyon-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A model with the text of its configuration.
    func add(_ name: String, version: Int = 1, configuration: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(path)/\(name)/\(version)", withIntermediateDirectories: true)
        try configuration.write(toFile: "\(path)/\(name)/config.pbtxt", atomically: true, encoding: .utf8)
    }

    /// What a model's configuration says.
    func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(name)/config.pbtxt", encoding: .utf8)
    }

    /// Writes a model's configuration, and nothing else of it.
    func write(_ name: String, _ configuration: String) throws {
        try configuration.write(toFile: "\(path)/\(name)/config.pbtxt", atomically: true, encoding: .utf8)
    }

    /// A model of the backend that takes and gives `dimensions` FP32 values an item.
    func add(
        _ name: String, backend: String, version: Int = 1, dimensions: Int = 4, lines: String = ""
    ) throws {
        let text = """
            backend: "\(backend)"
            max_batch_size: 8
            input [ { name: "IN" data_type: TYPE_FP32 dims: [ \(dimensions) ] } ]
            output [ { name: "OUT" data_type: TYPE_FP32 dims: [ \(dimensions) ] label_filename: "labels.txt" } ]
            \(lines)
            """
        try add(name, version: version, configuration: text)
        let labels = "\(path)/\(name)/labels.txt"
        if !FileManager.default.fileExists(atPath: labels) {
            try "zero\none\r\ntwo\n".write(toFile: labels, atomically: true, encoding: .utf8)
        }
    }
}

/// A server over the repository, in explicit mode.
func startServer(
    _ repository: TemporaryRepository, backends: [any Backend] = [], clock: any SchedulingClock = SystemClock(),
    exitTimeout: Duration = .seconds(30)
) throws -> InferenceServer {
    var options = ServerOptions(repositoryPaths: [repository.path])
    options.modelControlMode = .explicit
    options.backends = backends
    options.exitTimeout = exitTimeout
    return try InferenceServer(options, clock: clock)
}

/// The same, whose models do not run before the first request.
func startServerWithoutWarmUp(
    _ repository: TemporaryRepository, backends: [any Backend], cacheByteSize: Int = 0
) throws -> InferenceServer {
    var options = ServerOptions(repositoryPaths: [repository.path])
    options.modelControlMode = .explicit
    options.backends = backends
    options.warmsUpModels = false
    options.responseCacheByteSize = cacheByteSize
    return try InferenceServer(options)
}

extension Result where Failure == HalcyonError {
    var failure: HalcyonError? { if case .failure(let error) = self { error } else { nil } }
}

func request(_ model: String, _ value: Float, items: Int = 1, timeoutMicroseconds: UInt64 = 0) throws
    -> InferenceRequest
{
    let input = try Tensor(name: "IN", shape: [items, 4], [Float](repeating: value, count: items * 4))
    return InferenceRequest(modelName: model, inputs: [input], timeoutMicroseconds: timeoutMicroseconds)
}
