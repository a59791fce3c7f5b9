private import Glibc

/// The kind of file that a model is read from, by its name.
enum ModelFormat: Equatable, Sendable {
    case openVINO
    case onnx
    /// A frozen graph: one protobuf message.
    case tensorFlowGraph
    /// A folder with `saved_model.pb`.
    case tensorFlowSavedModel
    case tensorFlowLite
    /// The engine's own memory of a model, for one version of it and one kind of processor.
    case compiled
    case other

    init(path: String) {
        if Self.isDirectory(path) {
            self = .tensorFlowSavedModel
            return
        }
        switch path.split(separator: "/").last?.split(separator: ".").last {
        case "xml": self = .openVINO
        case "onnx": self = .onnx
        case "pb", "graphdef": self = .tensorFlowGraph
        case "tflite": self = .tensorFlowLite
        case "blob": self = .compiled
        default: self = .other
        }
    }

    var isTensorFlow: Bool { self == .tensorFlowGraph || self == .tensorFlowSavedModel }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
