internal import CPlatform
private import Glibc
internal import LibraryFiles
internal import Tensors

/// A shared library that was made for Triton: a backend, a cache or a repository agent. It stays open: threads of its
/// own may outlive what it was opened for.
struct InterfaceLibrary: @unchecked Sendable {
    let path: String
    private let pointer: UnsafeMutableRawPointer

    /// What such libraries are linked to: the name that Triton's library has, or one that a package gave its copy.
    private static let interfaceName = "libtritonserver"
    /// How deep libraries beside it may need each other.
    private static let depth = 16
    /// Backends start programs, and these would hold the server's ports and connections.
    private static let keepsDescriptors = halcyon_keep_descriptors() == 0

    /// - Parameter kind: what it is, for errors: *the backend*.
    /// - Throws: `invalidArgument` for a library that is damaged or of another processor; `unavailable` where what it
    ///   needs is not there.
    init(_ path: String, kind: String) throws(HalcyonError) {
        self.path = path
        _ = Self.keepsDescriptors
        try StandInLibrary.open(name: "libtritonserver.so")
        try Self.openNeeds(of: path, depth: 0)
        pointer = try Self.open(path, called: "\(kind)'s library '\(path)'")
    }

    /// A function of the library; `nil` where it has none of that name.
    func function<Function>(_ name: String, as _: Function.Type) -> Function? {
        dlsym(pointer, name).map { unsafeBitCast($0, to: Function.self) }
    }

    /// A function that the library must have.
    ///
    /// - Parameter what: what the library is to be, for the error: *backend*.
    /// - Throws: `invalidArgument` where it has none of that name.
    func function<Function>(_ name: String, as type: Function.Type, of what: String) throws(HalcyonError) -> Function {
        guard let function = function(name, as: type) else {
            throw HalcyonError(.invalidArgument, "'\(path)' is no \(what): it has no function \(name)")
        }
        return function
    }

    /// Where the library of a cache or an agent lies: in a folder that is called as it is.
    ///
    /// - Parameter directories: the first that has it counts.
    /// - Returns: `nil` where none has it.
    static func path(of name: String, file: String, in directories: [String]) -> String? {
        directories.map { "\($0)/\(name)/\(file)" }.first { access($0, R_OK) == 0 }
    }

    /// - Parameter words: what the library is, for errors.
    private static func open(_ path: String, called words: String) throws(HalcyonError) -> UnsafeMutableRawPointer {
        guard let pointer = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            let reason = dlerror().map { String(cString: $0) } ?? "the loader gives no reason"
            throw HalcyonError(.unavailable, "\(words) can't be loaded: \(reason)")
        }
        return pointer
    }

    /// Opens what lies beside a library and is needed by it, wherever it was linked to look for that.
    private static func openNeeds(of path: String, depth: Int) throws(HalcyonError) {
        let needs = try ELFNeeds(of: path)
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        for name in needs.libraries {
            if name.hasPrefix(interfaceName) {
                try StandInLibrary.open(name: name)
            } else if depth < self.depth, access("\(folder)/\(name)", R_OK) == 0,
                dlopen(name, RTLD_NOW | RTLD_NOLOAD) == nil
            {
                try openNeeds(of: "\(folder)/\(name)", depth: depth + 1)
                _ = try open("\(folder)/\(name)", called: "'\(folder)/\(name)'")
            }
        }
    }
}
