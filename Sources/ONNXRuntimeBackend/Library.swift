internal import COnnxRuntime
internal import LibraryFiles
internal import Tensors

/// ONNX Runtime's shared library, opened, with its functions. It stays open as long as the process lives: its threads
/// do.
final class Library: StatusLibrary, @unchecked Sendable {
    /// What the library says of its version, `1.32.0` for instance.
    let version: String
    /// The file.
    let path: String
    let functions: onnxruntime_functions_t

    var title: String { "ONNX Runtime" }

    private init(_ library: DynamicLibrary) throws(HalcyonError) {
        var text: UnsafePointer<CChar>?
        functions = try library.functions { (handle, table) throws(HalcyonError) in
            let binding = onnxruntime_bind(handle, table, &text)
            switch binding {
            case ONNXRUNTIME_BOUND: break
            case ONNXRUNTIME_FOREIGN:
                throw HalcyonError(
                    .unavailable,
                    "'\(library.name)' is not ONNX Runtime: it has no OrtGetApiBase; \(Self.engine.remedy)")
            default:
                throw HalcyonError(
                    .unavailable,
                    "'\(library.name)' is ONNX Runtime \(text.map { String(cString: $0) } ?? "unknown"), which is too "
                        + "old: it has not all functions of version 1.8; \(Self.engine.remedy)")
            }
        }
        version = text.map { String(cString: $0) } ?? "unknown"
        path = withUnsafePointer(to: functions) { onnxruntime_file($0).map { String(cString: $0) } } ?? library.name
    }

    private static let engine = EngineLibrary(
        "ONNX Runtime", baseName: "libonnxruntime.so", version: "1",
        remedy: "Halcyon needs ONNX Runtime 1.8 or newer: package 'onnxruntime' (1.32.0) on PyPI, whose folder "
            + "'onnxruntime/capi' holds the library")

    /// - Throws: as ``EngineLibrary/open(directories:systemNames:absence:)``, and where it is not the engine or too
    ///   old.
    static func open(
        directories: [String], systemNames: [String]? = nil, absence: LibraryAbsence = LibraryAbsence()
    ) throws(HalcyonError) -> Library {
        try Library(engine.open(directories: directories, systemNames: systemNames, absence: absence))
    }

    static func isInstalled(directories: [String]) -> Bool { engine.isInstalled(directories: directories) }
}

extension Library {
    /// Turns a failure into an error that begins with what was tried.
    func check(
        _ status: OpaquePointer?, code: HalcyonError.Code = .internal, _ attempt: @autoclosure () -> String
    ) throws(HalcyonError) {
        guard let status else { return }
        defer { functions.release_status(status) }
        let text = functions.get_error_message(status).map { String(cString: $0) } ?? ""
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        throw HalcyonError(
            code, "\(attempt()): \(line.isEmpty ? "status \(functions.get_error_code(status))" : line)")
    }
}
