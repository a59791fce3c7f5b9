import ModelConfigurations
import Tensors
import Testing

@testable import ModelRepository

/// Models without a repository around them.
struct LoneModelTests {
    @Test(
        arguments: [
            (["config.pbtxt"], ["1": ["model.onnx"]], .init()),
            (["config.pbtxt", "labels.txt"], ["1": [], "3": ["anything"]], .init()),
            ([], ["1": ["model.onnx"], "warmup": ["sample"]], .init()),
            (["model.onnx"], [:], .init(filename: "model.onnx")),
            (["config.pbtxt", "resnet.xml", "resnet.bin"], [:], .init(filename: "resnet.xml")),
            (["model.tflite", "other.tflite"], [:], .init(filename: "model.tflite")),
            ([], ["flowers.savedmodel": ["saved_model.pb", "variables"]], .init(filename: "flowers.savedmodel")),
            (["a.onnx", "b.onnx"], [:], nil),
            // Repositories: a model called 1, one beside a stray configuration, and none.
            ([], ["1": ["1"]], nil), ([], ["1": ["config.pbtxt", "model.onnx"]], nil),
            (["config.pbtxt"], ["m": ["config.pbtxt", "1"]], nil), (["model.onnx"], ["m": ["1"]], nil),
            (["config.pbtxt"], [:], nil), (["README.md"], ["01": ["model.onnx"]], nil), ([], [:], nil),
        ] as [([String], [String: [String]], LoneModel.Layout?)])
    func `A folder is a model where nothing in it is one`(
        files: [String], folders: [String: [String]], layout: LoneModel.Layout?
    ) {
        #expect(LoneModel.layout(files: files, folders: folders) == layout)
    }

    @Test func `A model's own folder is served under the name of the folder or another`() throws {
        let repository = try TemporaryRepository()
        try repository.file("config.pbtxt", "backend: \"stub\"")
        try repository.file("2/model.stub")
        var reader = try repository.reader()
        #expect(try reader.modelKeys() == ["repository"])
        try reader.callLoneModel("people")
        #expect(try reader.modelKeys() == ["people"])
        let definition = try reader.readModel("people", backends: StubBackend.all)
        #expect(definition.directory == repository.path)
        #expect(definition.versions.map(\.modelPath) == [repository.path + "/2/model.stub"])
        #expect(definition.versions.map { definition.folder(of: $0) } == [repository.path + "/2"])
        #expect(repository.error { try reader.readModel("repository", backends: StubBackend.all) }?.code == .notFound)
    }

    @Test func `A file with nothing around it is version 1`() throws {
        let repository = try TemporaryRepository()
        try repository.file("people.onnx")
        var reader = try repository.reader()
        try reader.callLoneModel("m")
        let definition = try reader.readModel("m", backends: StubBackend.all)
        #expect(definition.versions.map(\.number) == [1])
        #expect(definition.versions.map(\.modelPath) == [repository.path + "/people.onnx"])
        #expect(definition.versions.map { definition.folder(of: $0) } == [repository.path])
        #expect(definition.configuration.defaultModelFilename == "people.onnx")
        #expect(try reader.fingerprints().keys.sorted() == ["m"])
    }

    @Test func `A folder that comes to be a repository is read as one`() throws {
        let repository = try TemporaryRepository()
        let reader = try repository.reader()
        try repository.file("model.onnx")
        #expect(try reader.modelKeys() == ["repository"])
        try repository.model("m")
        #expect(try reader.modelKeys() == ["m"])
    }

    @Test func `A name that no model can have is refused with its flag`() throws {
        let repository = try TemporaryRepository()
        var reader = try repository.reader()
        let error = #expect(throws: HalcyonError.self) { try reader.callLoneModel("../m") }
        #expect(error?.message.hasPrefix("--model-name: invalid model name '../m'") == true)
    }
}
