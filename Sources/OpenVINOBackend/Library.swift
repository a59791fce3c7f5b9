internal import COpenVINO
internal import LibraryFiles
internal import Tensors

/// OpenVINO's shared library, opened, with its functions. It stays open as long as the process lives: its threads do.
final class Library: StatusLibrary, @unchecked Sendable {
    /// What the runtime says of its version, `2026.4.1-…` for instance.
    let version: String
    /// The file.
    let path: String
    let functions: openvino_functions_t

    var title: String { "OpenVINO" }

    private init(_ library: DynamicLibrary) throws(HalcyonError) {
        functions = try library.functions { (handle, table) throws(HalcyonError) in
            guard let missing = openvino_bind(handle, table) else { return }
            throw HalcyonError(
                .unavailable,
                "the OpenVINO runtime '\(library.name)' has no function '\(String(cString: missing))'; "
                    + Self.engine.remedy)
        }
        path = withUnsafePointer(to: functions) { openvino_file($0).map { String(cString: $0) } } ?? library.name
        version = Self.version(functions)
        try checkElementTypes()
    }

    private static let engine = EngineLibrary(
        "the OpenVINO runtime", baseName: "libopenvino_c.so", version: "2641",
        remedy: "Halcyon needs OpenVINO 2026.4 or newer: package 'openvino' (2026.4.1) on PyPI, whose folder "
            + "'openvino/libs' holds the libraries")

    /// - Throws: as ``EngineLibrary/open(directories:systemNames:absence:)``, and where it is not the engine or too
    ///   old.
    static func open(
        directories: [String], systemNames: [String]? = nil, absence: LibraryAbsence = LibraryAbsence()
    ) throws(HalcyonError) -> Library {
        try Library(engine.open(directories: directories, systemNames: systemNames, absence: absence))
    }

    static func isInstalled(directories: [String]) -> Bool { engine.isInstalled(directories: directories) }

    /// Makes all of the engine's libraries that are open by now stay open: its reader of a file format, for instance,
    /// which it closes with the last model of that format. A model that goes on one thread while another ends the
    /// process would otherwise take away code that still runs.
    func keepOpen() {
        guard let slash = path.lastIndex(of: "/") else { return }
        let directory = String(path[..<slash])
        for name in LibraryFolder.fileNames(in: directory) where name.hasPrefix("libopenvino") {
            DynamicLibrary.keepOpen("\(directory)/\(name)")
        }
    }

    private static func version(_ functions: openvino_functions_t) -> String {
        var version = openvino_version_t()
        guard functions.ov_get_openvino_version(&version) == 0 else { return "unknown" }
        defer { functions.ov_version_free(&version) }
        return version.build_number.map { String(cString: $0) } ?? "unknown"
    }
}

extension Library {
    /// The status of a call whose parameters the C interface itself refuses.
    static let wrongParameter: openvino_status_t = -14

    /// What the engine says of a call that failed, in one line.
    ///
    /// The engine keeps one message for the whole process, so the message of another call that fails at the same
    /// moment may take its place.
    func message(for status: openvino_status_t) -> String {
        // Statuses from -14 down to -16 are the C interface's own and leave the last message as it was.
        if !(-16...Self.wrongParameter).contains(status), let message = functions.ov_get_last_err_msg() {
            defer { functions.ov_free(message) }
            let text = EngineMessage.condensed(String(cString: message))
            if !text.isEmpty { return text }
        }
        return "\(String(cString: functions.ov_get_error_info(status))) (status \(status))"
    }

    /// Turns a failure into an error that begins with what was tried.
    func check(
        _ status: openvino_status_t, code: HalcyonError.Code = .internal, _ attempt: @autoclosure () -> String
    ) throws(HalcyonError) {
        guard status != 0 else { return }
        throw HalcyonError(code, "\(attempt()): \(message(for: status))")
    }
}
