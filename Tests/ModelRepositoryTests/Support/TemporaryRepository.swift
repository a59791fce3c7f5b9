import Foundation
import ModelRepository
import Tensors
import Testing

/// A folder for one test: `repository/` in it is a model repository, and what lies beside that is outside. It goes when
/// this value goes.
final class TemporaryRepository {
    /// Without links, as the reader gives paths.
    let outside: String
    var path: String { outside + "/repository" }

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/halcyon-repository-XXXXXX").utf8CString)
        let made = try #require(mkdtemp(&template).flatMap { String(validatingCString: $0) })
        let resolved = try #require(realpath(made, nil))
        outside = String(cString: resolved)
        free(resolved)
        try folder("")
    }

    deinit { try? FileManager.default.removeItem(atPath: outside) }

    /// Makes a folder, with those above it.
    func folder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
    }

    /// Makes a file, with the folders above it; `../` leads outside.
    func file(_ name: String, _ content: String = "") throws { try file(name, bytes: Array(content.utf8)) }

    func file(_ name: String, bytes: [UInt8]) throws {
        let file = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
    }

    /// A model in version 1 that the stub engine runs.
    func model(_ name: String, configuration: String? = nil) throws {
        try file("\(name)/1/model.stub")
        if let configuration { try file("\(name)/config.pbtxt", configuration) }
    }

    func reader() throws -> ModelRepositoryReader { try ModelRepositoryReader(paths: [path]) }

    func read(_ name: String) throws -> ModelDefinition {
        try reader().readModel(name, backends: StubBackend.all)
    }

    /// The error of reading a model, with this repository's path as `<repository>`.
    func error(_ name: String) -> HalcyonError? { error { try self.read(name) } }

    func error<Result>(_ body: () throws -> Result) -> HalcyonError? {
        do {
            _ = try body()
            return nil
        } catch {
            let error = HalcyonError(wrapping: error)
            return HalcyonError(error.code, error.message.replacingOccurrences(of: path, with: "<repository>"))
        }
    }
}
