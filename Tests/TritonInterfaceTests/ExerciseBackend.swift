import Foundation
import Halcyon
import ModelRuntime
import Testing

/// A backend in C that is compiled by the tests, and models of it.
struct ExerciseBackend {
    static let tensors = """
        input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] } ]
        output [ { name: "OUT" data_type: TYPE_INT32 dims: [ -1 ] } ]
        instance_group [ { count: 1 kind: KIND_CPU } ]
        """

    let folder: ScratchFolder

    /// - Parameter models: configurations by name; the backend's name comes before each.
    init(_ models: [String: String]) throws {
        folder = try ScratchFolder()
        try folder.makeFolder("backends/exercise")
        for (name, text) in models {
            try folder.makeFolder("models/\(name)/1")
            try folder.write("backend: \"exercise\"\n\(text)\n", to: "models/\(name)/config.pbtxt")
        }
        try Self.compile(to: "\(folder.path)/backends/exercise/libtriton_exercise.so")
    }

    /// Whether the compiler that comes with Swift is there.
    static let compiler = ["clang", "cc", "gcc"].first { run(["/usr/bin/env", $0, "--version"]) == 0 }

    private static func compile(to path: String) throws {
        let here = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let headers = "/\(here)/../../Sources/CTriton/include"
        let compiler = try #require(compiler)
        let status = run([
            "/usr/bin/env", compiler, "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-I", headers, "-o", path,
            "/\(here)/Backends/exercise.c", "-pthread",
        ])
        #expect(status == 0)
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

    func server(_ change: (inout ServerOptions) -> Void = { _ in }) throws -> InferenceServer {
        var options = ServerOptions(repositoryPaths: ["\(folder.path)/models"])
        options.backendDirectory = "\(folder.path)/backends"
        options.backendConfiguration = ["exercise": ["setting": "of the command line"]]
        options.isReadinessStrict = false
        change(&options)
        return try InferenceServer(options)
    }
}
