internal import COpenVINO
private import Glibc
internal import LibraryFiles
internal import Tensors

/// OpenVINO's shared library, opened, with its functions. It stays open as long as the process lives: its threads do.
final class Library: @unchecked Sendable {
    /// What the runtime says of its version, `2026.4.1-…` for instance.
    let version: String
    /// The file.
    let path: String
    let functions: openvino_functions_t

    private init(opened handle: UnsafeMutableRawPointer, name: String) throws(HalcyonError) {
        let table = UnsafeMutablePointer<openvino_functions_t>.allocate(capacity: 1)
        defer { table.deallocate() }
        if let missing = openvino_bind(handle, table) {
            throw HalcyonError(
                .unavailable,
                "the OpenVINO runtime '\(name)' has no function '\(String(cString: missing))'; \(Self.remedy)")
        }
        functions = table.pointee
        path = openvino_file(table).map { String(cString: $0) } ?? name
        version = Self.version(functions)
        try checkElementTypes()
    }

    private static let remedy =
        "Halcyon needs OpenVINO 2026.4 or newer: package 'openvino' (2026.4.1) on PyPI, whose folder 'openvino/libs' "
        + "holds the libraries"

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
            try checkCompleteness(of: directory)
            guard let handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
                throw HalcyonError(
                    .unavailable, "the OpenVINO runtime can't be loaded: \(loaderMessage()); \(remedy)")
            }
            return try Library(opened: handle, name: file)
        }
        for name in systemNames {
            if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) {
                return try Library(opened: handle, name: name)
            }
        }
        throw HalcyonError(
            .unavailable,
            "\(absence.sentence("the OpenVINO runtime (\(baseName))", directories: directories)) \(remedy)")
    }

    private static let baseName = "libopenvino_c.so"

    /// Whether ``open(directories:systemNames:)`` would find a file.
    static func isInstalled(directories: [String]) -> Bool {
        directories.contains { LibraryFolder.newest(baseName, in: $0) != nil }
            || systemNames.contains { dlopen($0, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE) != nil }
    }

    private static let systemNames = ["\(baseName).2641", baseName]

    private static func checkCompleteness(of directory: String) throws(HalcyonError) {
        guard let path = LibraryFolder.damagedLibrary(in: directory) else { return }
        throw HalcyonError(
            .unavailable, "the OpenVINO runtime is damaged: '\(path)' is no complete library. \(remedy)")
    }

    /// Makes all of the engine's libraries that are open by now stay open: its reader of a file format, for instance,
    /// which it closes with the last model of that format. A model that goes on one thread while another ends the
    /// process would otherwise take away code that still runs.
    func keepOpen() {
        guard let slash = path.lastIndex(of: "/") else { return }
        let directory = String(path[..<slash])
        for name in LibraryFolder.fileNames(in: directory) where name.hasPrefix("libopenvino") {
            _ = dlopen("\(directory)/\(name)", RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE)
        }
    }

    private static func loaderMessage() -> String {
        dlerror().map { String(cString: $0) } ?? "the loader gives no reason"
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

    /// An object that a function of the engine makes.
    ///
    /// - Parameter memory: what the object goes on using, and must not go before it.
    func make(
        code: HalcyonError.Code = .internal, memory: AnyObject? = nil,
        free: @escaping @convention(c) (OpaquePointer) -> Void, _ attempt: @autoclosure () -> String,
        _ body: (UnsafeMutablePointer<OpaquePointer?>) -> openvino_status_t
    ) throws(HalcyonError) -> Handle {
        var pointer: OpaquePointer?
        try check(body(&pointer), code: code, attempt())
        guard let pointer else { throw HalcyonError(.internal, "\(attempt()): OpenVINO gave nothing back") }
        return Handle(pointer, memory: memory, free: free)
    }
}
