internal import COnnxRuntime
private import Glibc
internal import LibraryFiles
internal import Tensors

/// ONNX Runtime's shared library, opened, with its functions. It stays open as long as the process lives: its threads
/// do.
final class Library: @unchecked Sendable {
    /// What the library says of its version, `1.32.0` for instance.
    let version: String
    /// The file.
    let path: String
    let functions: onnxruntime_functions_t

    private init(opened handle: UnsafeMutableRawPointer, name: String) throws(HalcyonError) {
        let table = UnsafeMutablePointer<onnxruntime_functions_t>.allocate(capacity: 1)
        defer { table.deallocate() }
        var text: UnsafePointer<CChar>?
        let binding = onnxruntime_bind(handle, table, &text)
        version = text.map { String(cString: $0) } ?? "unknown"
        switch binding {
        case ONNXRUNTIME_BOUND: break
        case ONNXRUNTIME_FOREIGN:
            throw HalcyonError(.unavailable, "'\(name)' is not ONNX Runtime: it has no OrtGetApiBase; \(Self.remedy)")
        default:
            throw HalcyonError(
                .unavailable,
                "'\(name)' is ONNX Runtime \(version), which is too old: it has not all functions of version 1.8; "
                    + Self.remedy)
        }
        functions = table.pointee
        path = onnxruntime_file(table).map { String(cString: $0) } ?? name
    }

    private static let remedy =
        "Halcyon needs ONNX Runtime 1.8 or newer: package 'onnxruntime' (1.32.0) on PyPI, whose folder "
        + "'onnxruntime/capi' holds the library"

    private static let baseName = "libonnxruntime.so"
    private static let systemNames = ["\(baseName).1", baseName]

    /// The library of the first directory that has one, else the one that the system's loader finds.
    ///
    /// - Parameters:
    ///   - systemNames: the names that the system's loader is asked for; it also knows the libraries that are open already.
    ///   - absence: what to say where there is none.
    /// - Throws: `unavailable`, with where it was looked for and what to install.
    static func open(
        directories: [String], systemNames: [String] = Library.systemNames, absence: LibraryAbsence = LibraryAbsence()
    ) throws(HalcyonError) -> Library {
        for directory in directories {
            guard let file = LibraryFolder.newest(baseName, in: directory) else { continue }
            if let damaged = LibraryFolder.damagedLibrary(in: directory) {
                throw HalcyonError(
                    .unavailable, "ONNX Runtime is damaged: '\(damaged)' is no complete library. \(remedy)")
            }
            guard let handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
                let reason = dlerror().map { String(cString: $0) } ?? "the loader gives no reason"
                throw HalcyonError(.unavailable, "ONNX Runtime can't be loaded: \(reason); \(remedy)")
            }
            return try Library(opened: handle, name: file)
        }
        for name in systemNames {
            if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) {
                return try Library(opened: handle, name: name)
            }
        }
        throw HalcyonError(
            .unavailable, "\(absence.sentence("ONNX Runtime (\(baseName))", directories: directories)) \(remedy)")
    }

    /// Whether ``open(directories:systemNames:)`` would find a file.
    static func isInstalled(directories: [String]) -> Bool {
        directories.contains { LibraryFolder.newest(baseName, in: $0) != nil }
            || systemNames.contains { dlopen($0, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE) != nil }
    }
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

    /// An object that a function of the engine makes.
    func make(
        code: HalcyonError.Code = .internal, free: @escaping @convention(c) (OpaquePointer) -> Void,
        _ attempt: @autoclosure () -> String, _ body: (UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?
    ) throws(HalcyonError) -> Handle {
        var pointer: OpaquePointer?
        try check(body(&pointer), code: code, attempt())
        guard let pointer else { throw HalcyonError(.internal, "\(attempt()): ONNX Runtime gave nothing back") }
        return Handle(pointer, free: free)
    }
}
