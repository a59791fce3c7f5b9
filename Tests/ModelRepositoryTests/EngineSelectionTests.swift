import ModelConfigurations
import ModelRepository
import ModelRuntime
import Tensors
import Testing

struct EngineSelectionTests {
    private struct Choice: Equatable {
        var platform: String
        var backend: String
        var engine: String
        var filenames: [String]
    }

    /// A row: what is written, and what is there.
    struct Given: Sendable {
        var platform = ""
        var backend = ""
        var filename = ""
        var files: [String] = []
        var name = "m"

        func configuration() -> ModelConfiguration {
            var configuration = ModelConfiguration(name: name)
            configuration.platform = platform
            configuration.backend = backend
            configuration.defaultModelFilename = filename
            return configuration
        }
    }

    private func choice(_ given: Given, _ backends: [String: any Backend] = StubBackend.all) throws -> Choice {
        var configuration = given.configuration()
        let selection = try EngineSelection.select(&configuration, files: given.files, backends: backends)
        #expect((selection.notice != nil) == (selection.backendName != configuration.backend))
        return Choice(
            platform: configuration.platform, backend: configuration.backend, engine: selection.backendName,
            filenames: selection.filenames)
    }

    private func message(_ given: Given, _ backends: [String: any Backend] = StubBackend.all) -> String? {
        var configuration = given.configuration()
        do throws(HalcyonError) {
            _ = try EngineSelection.select(&configuration, files: given.files, backends: backends)
            return nil
        } catch {
            #expect(error.code == .invalidArgument)
            return error.message
        }
    }

    private static let onnx = Choice(
        platform: "onnxruntime_onnx", backend: "onnxruntime", engine: "openvino", filenames: ["model.onnx"])
    private static let graph = Choice(
        platform: "tensorflow_graphdef", backend: "tensorflow", engine: "openvino", filenames: ["model.graphdef"])
    private static let savedModel = Choice(
        platform: "tensorflow_savedmodel", backend: "tensorflow", engine: "openvino", filenames: ["model.savedmodel"])
    private static let openVINOFiles = ["model.xml", "model.onnx", "model.graphdef", "model.pb"]

    @Test func `Platforms and backends of Triton choose an engine and a file`() throws {
        #expect(try choice(Given(platform: "onnxruntime_onnx")) == Self.onnx)
        #expect(try choice(Given(backend: "onnxruntime")) == Self.onnx)
        #expect(try choice(Given(platform: "onnxruntime_onnx", backend: "onnxruntime")) == Self.onnx)
        #expect(try choice(Given(platform: "tensorflow_graphdef")) == Self.graph)
        #expect(try choice(Given(platform: "tensorflow_savedmodel", backend: "tensorflow")) == Self.savedModel)
        #expect(try choice(Given(backend: "tensorflow", files: ["model.savedmodel"])) == Self.savedModel)
        #expect(try choice(Given(backend: "tensorflow", files: ["model.graphdef", "model.savedmodel"])) == Self.graph)
        #expect(
            try choice(Given(backend: "tensorflow")).filenames == ["model.graphdef", "model.savedmodel"])
        #expect(
            try choice(Given(backend: "openvino"))
                == Choice(platform: "", backend: "openvino", engine: "openvino", filenames: Self.openVINOFiles))
        #expect(try choice(Given(platform: "openvino")).backend == "openvino")
    }

    @Test func `A file that is named takes the place of the usual ones`() throws {
        #expect(try choice(Given(platform: "onnxruntime_onnx", filename: "net.onnx")).filenames == ["net.onnx"])
        #expect(try choice(Given(backend: "openvino", filename: "net.onnx")).filenames == ["net.onnx"])
        #expect(try choice(Given(backend: "fileless", filename: "table.txt")).filenames == ["table.txt"])
        #expect(
            try choice(Given(backend: "tensorflow", filename: "frozen.pb"))
                == Choice(platform: "", backend: "tensorflow", engine: "openvino", filenames: ["frozen.pb"]))
    }

    @Test func `Backends of the application go by their name, also in the place of Triton's`() throws {
        #expect(try choice(Given(backend: "stub")).filenames == ["model.stub", "other.stub"])
        #expect(try choice(Given(backend: "fileless")).filenames == [])
        #expect(try choice(Given(platform: "fileless")).engine == "fileless")
        let own = StubBackend.registered(StubBackend(name: "onnxruntime", modelFilenames: ["ignored"]))
        var expected = Self.onnx
        expected.engine = "onnxruntime"
        #expect(try choice(Given(backend: "onnxruntime"), own) == expected)
    }

    @Test func `Without a word the file decides`() throws {
        #expect(try choice(Given(files: ["README.md", "model.bin", "model.onnx", "model.xml"])) == Self.onnx)
        #expect(try choice(Given(files: ["model.graphdef", "model.onnx"])) == Self.graph)
        #expect(try choice(Given(files: ["model.savedmodel"])) == Self.savedModel)
        #expect(try choice(Given(files: ["model.bin", "model.xml"])).backend == "openvino")
        #expect(try choice(Given(files: ["model.pb"])).backend == "openvino")
        #expect(try choice(Given(files: ["other.stub"])).backend == "stub")
        #expect(try choice(Given(filename: "net.onnx")).backend == "onnxruntime")
        #expect(try choice(Given(filename: "net.onnx")).filenames == ["net.onnx"])
        #expect(try choice(Given(filename: "net.stub", files: ["model.onnx"])).backend == "stub")
    }

    @Test func `What can't run here comes last`() throws {
        #expect(try choice(Given(files: ["model.onnx", "model.plan"])) == Self.onnx)
        #expect(
            message(Given(files: ["model.plan"]))
                == "unable to find backend library for backend 'tensorrt', try specifying runtime on the model "
                + "configuration. This server has: fileless, openvino, stub")
    }

    @Test func `A model's name may end with the backend's`() throws {
        #expect(try choice(Given(name: "echo.fileless")).backend == "fileless")
        #expect(message(Given(name: "echo.nosuch")) != nil)
        #expect(message(Given(name: "fileless")) != nil)
    }

    @Test func `What does not exist is told in Triton's words`() {
        #expect(
            message(Given(backend: "nosuch"))
                == "unable to find backend library for backend 'nosuch', try specifying runtime on the model "
                + "configuration. This server has: fileless, openvino, stub")
        #expect(
            message(Given(platform: "nosuch"))
                == "unexpected platform type 'nosuch' for m; backend can name one of fileless, openvino, stub")
        #expect(
            message(Given(filename: "m.bin"))
                == "unexpected platform type '' for m; 'm.bin' does not tell which engine reads it: name the backend")
        #expect(
            message(Given(files: ["README.md"]))
                == "unexpected platform type '' for m; Invalid model name: Could not determine backend for model 'm' "
                + "with no backend in model configuration. Expected model name of the form 'model.<backend_name>'. "
                + "name the backend, or the model file one of model.graphdef, model.onnx, model.pb, model.plan, "
                + "model.pt, model.savedmodel, model.stub, model.xml, other.stub")
        #expect(
            message(Given(backend: "onnxruntime"), StubBackend.registered(StubBackend(name: "stub")))?
                .hasPrefix("unable to find backend library for backend 'onnxruntime'") == true)
    }

    @Test func `What backends that lie with models are registered by is no name to write`() throws {
        let backends = StubBackend.registered(
            StubBackend(name: ModelBackends.name, isListed: false), StubBackend(name: "stub"))
        #expect(
            message(Given(backend: "*"), backends)
                == "model 'm': '*' is no name of a backend: name the one that is to run it")
        #expect(
            message(Given(platform: "*", backend: "stub"), backends)
                == "model 'm': '*' is no name of a platform: name the one that is to run it")
        #expect(message(Given(platform: "*"), backends) != nil)
        #expect(message(Given(name: "m.*"), backends)?.contains("Could not determine backend") == true)
        var configuration = Given(backend: "own").configuration()
        let selection = try EngineSelection.select(&configuration, files: [], backends: backends)
        #expect(selection.backendName == ModelBackends.name)
        #expect(ModelBackends.shownName(of: selection.backendName, for: configuration) == "own")
        #expect(ModelBackends.shownName(of: "stub", for: configuration) == "stub")
    }

    @Test func `A folder that is no backend by what is in it is not listed, and runs what names it`() throws {
        let backends = StubBackend.registered(
            StubBackend(name: "cuda", isListed: false), StubBackend(name: "stub"))
        let error = message(Given(backend: "nosuch"), backends)
        #expect(error?.hasSuffix("This server has: stub") == true, "\(error ?? "")")
        #expect(message(Given(name: "m.cuda"), backends)?.contains("Could not determine backend") == true)
        var configuration = Given(backend: "cuda").configuration()
        #expect(
            try EngineSelection.select(&configuration, files: [], backends: backends).backendName == "cuda")
    }

    @Test func `Where only one of two engines is installed it runs the ONNX models of the other`() throws {
        func backends(openVINO: Bool, onnxRuntime: Bool) -> [String: any Backend] {
            StubBackend.registered(
                StubBackend(
                    name: "openvino", modelFilenames: ["model.xml", "model.onnx"], isInstalled: openVINO),
                StubBackend(name: "onnxruntime", modelFilenames: ["model.onnx"], isInstalled: onnxRuntime))
        }
        func engine(_ backend: String, _ files: [String], _ backends: [String: any Backend]) throws -> EngineSelection {
            var configuration = Given(backend: backend).configuration()
            return try EngineSelection.select(&configuration, files: files, backends: backends)
        }
        let onlyOpenVINO = backends(openVINO: true, onnxRuntime: false)
        let onlyONNXRuntime = backends(openVINO: false, onnxRuntime: true)
        let replaced = try engine("onnxruntime", ["model.onnx"], onlyOpenVINO)
        #expect(replaced.backendName == "openvino" && replaced.filenames == ["model.onnx"])
        #expect(
            replaced.notice == "the engine of the backend 'onnxruntime' is not installed, so 'openvino' runs the model")
        let other = try engine("openvino", ["model.onnx"], onlyONNXRuntime)
        #expect(other.backendName == "onnxruntime" && other.filenames == ["model.onnx"])
        // A model in another format stays with its engine, which says what to install.
        #expect(try engine("openvino", ["model.xml"], onlyONNXRuntime).backendName == "openvino")
        let none = backends(openVINO: false, onnxRuntime: false)
        #expect(try engine("onnxruntime", ["model.onnx"], none).backendName == "onnxruntime")
        let both = try engine("onnxruntime", ["model.onnx"], backends(openVINO: true, onnxRuntime: true))
        #expect(both.backendName == "onnxruntime" && both.notice == nil)
    }

    @Test(arguments: [("tensorflow_graphdef", "onnxruntime"), ("nosuch", "tensorflow"), ("openvino", "onnxruntime")])
    func `Platform and backend must say the same engine`(platform: String, backend: String) {
        #expect(
            message(Given(platform: platform, backend: backend))
                == "unexpected 'platform' and 'backend' pair, got:\(platform), \(backend); leave out the platform of "
                + "model 'm'"
        )
    }
}
