private import Foundation
private import Tensors

/// Shared libraries in C that tests compile: backends, caches and repository agents.
package enum CLibrary {
    /// The compiler that comes with Swift, or another; `nil` where there is none.
    package static let compiler = ["clang", "cc", "gcc"].first { run(["/usr/bin/env", $0, "--version"]) == 0 }

    /// Compiles a file with the headers of Triton's interface at hand.
    ///
    /// - Parameters:
    ///   - source: the C file's path.
    ///   - path: where the library is to be; its folder is made.
    ///   - definitions: macros, each `NAME` or `NAME=VALUE`.
    package static func compile(_ source: String, to path: String, _ definitions: [String] = []) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        let status = run(
            ["/usr/bin/env", compiler ?? "cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-I"]
                + [root.appendingPathComponent("Sources/CTriton/include").path, "-o", path]
                + definitions.map { "-D\($0)" } + [source, "-pthread"])
        guard status == 0 else { throw HalcyonError(.internal, "'\(source)' can't be compiled") }
    }

    /// The status with which a program ends; -1 where it can't be started.
    private static func run(_ arguments: [String]) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            return -1
        }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
