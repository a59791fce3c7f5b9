private import Glibc
internal import Tensors

/// A shared library of the system.
enum LoadedLibrary {
    /// Opens the first of the names that the system's loader finds.
    ///
    /// - Throws: `unavailable` that begins with `missing`, and says what the loader says.
    static func open(
        _ names: [String], missing: String
    ) throws(HalcyonError) -> (handle: UnsafeMutableRawPointer, name: String) {
        var reason = "no name was given"
        for name in names {
            if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) { return (handle, name) }
            reason = dlerror().map { String(cString: $0) } ?? "the loader gives no reason"
        }
        throw HalcyonError(.unavailable, "\(missing): \(reason)")
    }
}
