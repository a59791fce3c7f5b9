import Halcyon
import HalcyonTestKit
import ModelRuntime

/// A backend in C that is compiled by the tests, and models of it.
struct ExerciseBackend {
    static let tensors = """
        input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] } ]
        output [ { name: "OUT" data_type: TYPE_INT32 dims: [ -1 ] } ]
        instance_group [ { count: 1 kind: KIND_CPU } ]
        """

    let folder: ScratchFolder

    /// - Parameters:
    ///   - models: configurations by name; the backend's name comes before each.
    ///   - library: where the backend's library is to be, in the folder.
    init(
        _ models: [String: String], library: String = "backends/exercise/libtriton_exercise.so"
    ) throws {
        folder = try ScratchFolder()
        for (name, text) in models {
            try folder.makeFolder("models/\(name)/1")
            try folder.write("backend: \"exercise\"\n\(text)\n", to: "models/\(name)/config.pbtxt")
        }
        let here = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        try CLibrary.compile(
            "/\(here)/Backends/exercise.c", to: "\(folder.path)/\(library)")
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
