internal import Foundation

/// A model repository for one run, of models that only copy: up to eight rows of FP32 values in and out.
struct ScratchRepository {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("halcyon-\(UUID().uuidString)")

    var path: String { folder.path }

    /// Puts a model into it.
    ///
    /// - Parameters:
    ///   - dimensions: those of a row, with commas between them.
    ///   - lines: what else the configuration says.
    func add(_ name: String, dimensions: String, _ lines: String) throws {
        let model = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: model.appendingPathComponent("1"), withIntermediateDirectories: true)
        let text = """
            backend: "identity"
            max_batch_size: 8
            input [ { name: "IN" data_type: TYPE_FP32 dims: [ \(dimensions) ] } ]
            output [ { name: "OUT" data_type: TYPE_FP32 dims: [ \(dimensions) ] } ]
            \(lines)
            """
        try Data(text.utf8).write(to: model.appendingPathComponent("config.pbtxt"))
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}
