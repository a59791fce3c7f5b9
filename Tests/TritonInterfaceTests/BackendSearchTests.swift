import Halcyon
import HalcyonTestKit
import Logging
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@testable import TritonInterface

@Suite("Where a backend's library is looked for", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct BackendSearchTests {
    private func answer(_ backend: ExerciseBackend, _ change: (inout ServerOptions) -> Void = { _ in }) async throws {
        let server = try backend.server(change)
        do {
            try await server.waitUntilReady()
            let request = InferenceRequest(
                modelName: "exercised", inputs: [try Tensor(name: "IN", shape: [2], [Int32(0), 7])])
            #expect(try await server.infer(request).output("OUT").elements(as: Int32.self) == [0, 7])
        } catch {
            await server.shutdown()
            throw error
        }
        await server.shutdown()
    }

    private func complaint(
        _ backend: ExerciseBackend, _ change: (inout ServerOptions) -> Void = { _ in }
    ) async -> String {
        let error = await #expect(throws: HalcyonError.self) { try await answer(backend, change) }
        return error?.message ?? ""
    }

    private func model(_ runtime: String = "") -> [String: String] {
        ["exercised": (runtime.isEmpty ? "" : "runtime: \"\(runtime)\"\n") + ExerciseBackend.tensors]
    }

    @Test("the configuration's runtime names the file in the backend's folder")
    func runtime() async throws {
        try await answer(try ExerciseBackend(model("other.so"), library: "backends/exercise/other.so"))
        try await answer(try ExerciseBackend(model("libtriton_exercise.so")))
        let backend = try ExerciseBackend(model("absent.so"))
        let text = await complaint(backend)
        #expect(
            text.contains(
                "the backend 'exercise' has no file 'absent.so', which the configuration's 'runtime' names: it was "
                    + "looked for in \(backend.folder.path)/backends/exercise"), "\(text)")
    }

    @Test("a runtime with a path is refused", arguments: ["../exercise/libtriton_exercise.so", "/lib/x.so", ".."])
    func paths(name: String) async throws {
        let text = await complaint(try ExerciseBackend(model(name)))
        #expect(text.contains("backend library name '\(name)' escapes the backend's folder"), "\(text)")
    }

    @Test("a runtime 'model.py' is a backend in Python: what of it is missing is said")
    func python() async throws {
        let backend = try ExerciseBackend(model("model.py"))
        let text = await complaint(backend)
        #expect(text.contains("has no file 'model.py'"), "\(text)")
        try backend.folder.write("", to: "backends/exercise/model.py")
        let second = await complaint(backend)
        #expect(
            second.contains(
                "is written in Python (\(backend.folder.path)/backends/exercise/model.py) and needs"),
            "\(second)")
    }

    @Test(
        "a library in the folder of the version or of the model is loaded where that is allowed, and only there",
        arguments: ["models/exercised/1/libtriton_exercise.so", "models/exercised/libtriton_exercise.so"])
    func modelFolders(library: String) async throws {
        let backend = try ExerciseBackend(model(), library: library)
        let holder = library.contains("/1/") ? "version" : "model"
        let text = await complaint(backend)
        #expect(text.contains("unable to find backend library for backend 'exercise'"), "\(text)")
        #expect(
            text.contains(
                "libtriton_exercise.so in the \(holder)'s folder was not looked at, as it is code: "
                    + "--allow-model-backends has it loaded"), "\(text)")
        try await answer(backend) { $0.allowsModelBackends = true }
        // Beside a folder of the backend's that has another library.
        try backend.folder.makeFolder("backends/exercise")
        try backend.folder.write("none", to: "backends/exercise/other.so")
        let refused = await complaint(backend)
        #expect(
            refused.contains(
                "'\(backend.folder.path)/\(library)' was not looked at, as it is code: --allow-model-backends has it "
                    + "loaded"), "\(refused)")
        try await answer(backend) { $0.allowsModelBackends = true }
    }

    @Test("the version's folder comes before the model's, and that before the backend's")
    func order() async throws {
        let backend = try ExerciseBackend(model(), library: "models/exercised/1/libtriton_exercise.so")
        try backend.folder.makeFolder("backends/exercise")
        for folder in ["models/exercised", "backends/exercise"] {
            try backend.folder.write("no library", to: "\(folder)/libtriton_exercise.so")
        }
        try await answer(backend) { $0.allowsModelBackends = true }
        let text = await complaint(backend)
        #expect(text.contains("backends/exercise/libtriton_exercise.so"), "\(text)")
    }

    @Test("where nothing is found all folders are named, in their order")
    func nowhere() async throws {
        let backend = try ExerciseBackend(model(), library: "elsewhere/libtriton_exercise.so")
        let text = await complaint(backend) { $0.allowsModelBackends = true }
        let model = "\(backend.folder.path)/models/exercised"
        #expect(
            text.contains(
                "the backend 'exercise' is not installed: libtriton_exercise.so was looked for in \(model)/1, "
                    + "\(model), \(backend.folder.path)/backends/exercise"), "\(text)")
    }

    private func search(
        _ name: String, _ files: [String], _ change: (inout TritonBackend.Options) -> Void = { _ in }
    ) throws -> (BackendSearch, ScratchFolder) {
        let folder = try ScratchFolder()
        try folder.makeFolder("backends/\(name)")
        for file in files { try folder.write("", to: "backends/\(name)/\(file)") }
        var options = TritonBackend.Options(name: name, folders: ["\(folder.path)/backends/\(name)"])
        change(&options)
        return (BackendSearch(options), folder)
    }

    @Test(
        "a backend runs its models in processes of their own where all that it loads is the Python backend",
        arguments: [
            ("python", ["libtriton_python.so"], true), ("python", ["model.py"], false), ("mine", ["model.py"], true),
            ("mine", ["model.py", "other.so"], true), ("mine", ["model.py", "libtriton_mine.so"], false),
            ("mine", ["libtriton_mine.so"], false), ("mine", ["libtriton_mine.so", "libtriton_python.so"], false),
        ])
    func processes(name: String, files: [String], isPython: Bool) throws {
        #expect(try search(name, files).0.runsPython == isPython)
        // A model could have a library of its own.
        #expect(try !search(name, files, { $0.allowsModelFolders = true }).0.runsPython)
    }

    @Test("a folder is a backend's by a library of the usual name, or by a file in Python")
    func usual() throws {
        #expect(try !search("cuda", ["libcudart.so", "README"]).0.findsUsual)
        #expect(try search("mine", ["libtriton_mine.so"]).0.findsUsual)
        #expect(try search("mine", ["model.py"]).0.findsUsual)
    }

    @Test("a backend that lies with its model is told the folder of all backends")
    func directory() throws {
        let (found, folder) = try search("mine", ["other.so"]) {
            $0.allowsModelFolders = true
            $0.backendDirectory = "/backends"
            $0.pythonFolders = ["/elsewhere/python"]
        }
        try folder.makeFolder("models/m/1")
        try folder.write("", to: "models/m/libtriton_mine.so")
        func place(_ runtime: String) throws -> BackendPlace {
            var configuration = ModelConfiguration(name: "m")
            configuration.backend = "mine"
            configuration.runtime = runtime
            return try found.place(
                for: ModelSource(
                    modelName: "m", version: 1, configuration: configuration, modelDirectory: "\(folder.path)/models/m",
                    modelPath: nil, log: Logger(label: "test")))
        }
        #expect(try place("").backendDirectory == "/backends")
        #expect(try place("other.so").backendDirectory == "\(folder.path)/backends")
    }

    @Test("the server's own backends take no library")
    func ownBackends() async throws {
        let backend = try ExerciseBackend([:])
        try backend.folder.makeFolder("models/own/1")
        try backend.folder.write(
            "backend: \"identity\" runtime: \"other.so\"\n" + ExerciseBackend.tensors, to: "models/own/config.pbtxt")
        let text = await complaint(backend)
        #expect(
            text.contains(
                "'runtime' names 'other.so', and the backend 'identity' is this server's own and takes no library"),
            "\(text)")
    }
}
