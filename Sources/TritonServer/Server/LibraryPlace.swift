internal import CTriton
internal import EngineSearch
internal import Glibc
internal import Halcyon
internal import Logging

/// Where the library lies, and by that what was installed with it: `backends` and `bin` beside its folder `lib`.
enum LibraryPlace {
    /// Has engines looked for, and isolated models run by the program that was installed with the library.
    ///
    /// - Parameter directory: the folder that the program names. One that is not there, such as the place where a
    ///   container has it, is passed over.
    static func find(for options: inout ServerOptions, named directory: String?) {
        let library = path
        var named = directory
        if let directory, access(directory, F_OK) != 0 {
            options.log.notice(
                "the backend directory does not exist, and engines are looked for elsewhere",
                metadata: ["directory": "\(directory)"])
            named = nil
        }
        options.engineSearch = EngineLocator(
            named: named, flag: "TRITONSERVER_ServerOptionsSetBackendDirectory",
            ProcessSurroundings(
                variables: variables, executable: library, workingDirectory: owned(getcwd(nil, 0)), userID: geteuid(),
                groupID: getegid()))
        if let folder = library.flatMap(parent).flatMap(parent), access("\(folder)/bin/halcyon", X_OK) == 0 {
            options.workerCommand = WorkerCommand(executable: "\(folder)/bin/halcyon")
        }
    }

    /// The absolute path of what this is part of, with links followed.
    private static var path: String? {
        halcyon_triton_library_path().flatMap { owned(realpath($0, nil)) }
    }

    private static var variables: [String: String] {
        var variables: [String: String] = [:]
        for name in ["HALCYON_BACKENDS", "XDG_DATA_HOME", "HOME"] {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        return variables
    }

    private static func parent(_ path: String) -> String? {
        path.lastIndex(of: "/").map { String(path[..<$0]) }
    }

    private static func owned(_ text: UnsafeMutablePointer<CChar>?) -> String? {
        guard let text else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}
