import Tensors
import Testing

@testable import ModelRepository

struct RepositoryAdviceTests {
    @Test(arguments: [
        ("s3://bucket/models", "aws s3 sync s3://bucket/models"), ("gs://bucket/models", "gcloud storage rsync"),
        ("as://account/container", "a store of Azure"), ("https://host/models", "an address of the web"),
        ("S3://bucket", "Amazon S3"), ("hf://name/model", "Hugging Face"), ("dvc://x", "the scheme 'dvc'"),
    ])
    func `A store that is no folder is said with the way out`(path: String, text: String) {
        let error = #expect(throws: HalcyonError.self) { try ModelRepositoryReader(paths: [path]) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains(text) == true)
        #expect(error?.message.contains("mount it as a folder, or copy it into one") == true)
    }

    @Test func `A file address of this machine is its path`() throws {
        let repository = try TemporaryRepository()
        try repository.model("m")
        #expect(try ModelRepositoryReader(paths: ["file://" + repository.path]).modelKeys() == ["m"])
        #expect(try ModelRepositoryReader(paths: ["FILE://localhost" + repository.path]).modelKeys() == ["m"])
        let error = #expect(throws: HalcyonError.self) { try ModelRepositoryReader(paths: ["file://host/models"]) }
        #expect(error?.message.contains("file:///models for instance") == true)
    }

    @Test func `A path that is not there is said with what may be the reason`() {
        func message(_ path: String) -> String {
            (#expect(throws: HalcyonError.self) { try ModelRepositoryReader(paths: [path]) })?.message ?? ""
        }
        #expect(message("~/models-that-are-not").contains("the shell puts the home folder"))
        #expect(message("models-that-are-not").contains("from the folder in which the server was started"))
    }

    @Test func `A folder that is almost a version is said with its right name`() throws {
        let repository = try TemporaryRepository()
        try repository.file("m/v1/model.stub")
        try repository.file("m/version_3/model.stub")
        let message = repository.error("m")?.message ?? ""
        #expect(message.contains("'v1' is no version: call it 1; 'version_3' is no version: call it 3"))
    }

    @Test func `A model beside its configuration is said where to put`() throws {
        let repository = try TemporaryRepository()
        try repository.file("m/model.onnx")
        try repository.folder("n")
        #expect(
            repository.error("m")?.message.hasSuffix(
                "'model.onnx' lies in the model's folder itself: put it into a folder 1") == true)
        #expect(repository.error("n")?.message.hasSuffix("make a folder 1 and put the model into it") == true)
    }

    @Test func `A model's folder that is a repository too is told`() throws {
        let repository = try TemporaryRepository()
        try repository.file("config.pbtxt")
        try repository.file("m/config.pbtxt")
        #expect(repository.error("m")?.message.contains("name the folder above it") == true)
    }

    @Test(
        arguments: [
            (["saved_model.pb", "variables"], [], "move all of the folder 2 into 2/model.savedmodel"),
            (["resnet.onnx"], [], "call 'resnet.onnx' model.onnx, or say default_model_filename: \"resnet.onnx\""),
            (["resnet.onnx"], ["model.onnx"], "call 'resnet.onnx' model.onnx"),
            (["model.pt"], ["model.onnx"], "'model.pt' is of a kind that another backend takes"),
            (["2"], ["model.onnx"], "take one of the two out"), ([], ["model.onnx"], "the folder 2 is empty"),
        ] as [([String], [String], String)])
    func `What lies in a version folder by another name is told`(files: [String], wanted: [String], text: String) {
        #expect(FolderAdvice.withoutModel(files: files, version: 2, wanted: wanted)?.contains(text) == true)
    }
}
