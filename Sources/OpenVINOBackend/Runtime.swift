internal import COpenVINO
internal import LibraryFiles
internal import Tensors

/// The engine, ready to read and compile models. One serves all models of a backend.
final class Runtime: Sendable {
    let library: Library
    let core: Handle
    private let extensionPath: String?

    init(library: Library, extensionPath: String?) throws(HalcyonError) {
        self.library = library
        self.extensionPath = extensionPath
        core = try Self.makeCore(library, extensionPath: extensionPath)
    }

    /// A core whose settings are nobody else's.
    func anotherCore() throws(HalcyonError) -> Handle { try Self.makeCore(library, extensionPath: extensionPath) }

    private static func makeCore(_ library: Library, extensionPath: String?) throws(HalcyonError) -> Handle {
        let functions = library.functions
        let core = try library.make(free: functions.ov_core_free, "OpenVINO can't be started") {
            functions.ov_core_create($0)
        }
        if let extensionPath {
            try library.check(
                functions.ov_core_add_extension(core.pointer, extensionPath), code: .invalidArgument,
                "the OpenVINO extension '\(extensionPath)' (CPU_EXTENSION_PATH) can't be loaded")
        }
        return core
    }
}
