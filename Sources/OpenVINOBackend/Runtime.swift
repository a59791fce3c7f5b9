internal import COpenVINO
internal import Tensors

/// The engine, ready to read and compile models. One serves all models of a backend.
final class Runtime: Sendable {
    let library: Library
    let core: Handle

    init(library: Library, extensionPath: String?) throws(HalcyonError) {
        self.library = library
        let functions = library.functions
        core = try library.make(free: functions.ov_core_free, "OpenVINO can't be started") {
            functions.ov_core_create($0)
        }
        if let extensionPath {
            try library.check(
                functions.ov_core_add_extension(core.pointer, extensionPath), code: .invalidArgument,
                "the OpenVINO extension '\(extensionPath)' (CPU_EXTENSION_PATH) can't be loaded")
        }
    }
}
