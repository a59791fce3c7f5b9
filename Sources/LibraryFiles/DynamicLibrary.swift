private import Glibc
package import Tensors

/// A shared library that was opened. It stays open as long as the process lives: the threads that it starts do.
package struct DynamicLibrary: @unchecked Sendable {
    package let pointer: UnsafeMutableRawPointer
    /// What it was opened by: a file, or a name that the system's loader knows.
    package let name: String

    /// Opens the first of the files or names that the system's loader finds.
    ///
    /// - Parameter failure: makes the error of what the loader says where it finds none.
    package static func open(
        _ names: [String], failure: (_ reason: String) -> HalcyonError
    ) throws(HalcyonError) -> DynamicLibrary {
        var reason = "no name was given"
        for name in names {
            if let pointer = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) {
                return DynamicLibrary(pointer: pointer, name: name)
            }
            reason = dlerror().map { String(cString: $0) } ?? "the loader gives no reason"
        }
        throw failure(reason)
    }

    /// Whether the system's loader finds a library of that name; it is open then.
    package static func isAvailable(_ name: String) -> Bool {
        dlopen(name, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE) != nil
    }

    /// Makes a library that is open by now stay open; one that is not is left alone.
    package static func keepOpen(_ path: String) { _ = dlopen(path, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) }

    /// A table of the library's functions.
    ///
    /// - Parameter bind: fills it, or throws where the library lacks one.
    package func functions<Table>(
        _ bind: (UnsafeMutableRawPointer, UnsafeMutablePointer<Table>) throws(HalcyonError) -> Void
    ) throws(HalcyonError) -> Table {
        let table = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        defer { table.deallocate() }
        try bind(pointer, table)
        return table.pointee
    }
}
