import Foundation
import ModelConfigurations
import ModelRepository
import Tensors
import Testing

/// Nothing of a model lies outside of its repository, whatever links say.
struct ConfinementTests {
    private func outside(_ path: String, _ target: String, _ repository: TemporaryRepository) -> HalcyonError {
        let target = "\(repository.outside)/\(target)".replacingOccurrences(of: repository.path, with: "<repository>")
        return HalcyonError(
            .invalidArgument,
            "'<repository>/\(path)' leads to '\(target)', outside of '<repository>', and nothing that a "
                + "model consists of may lie outside of its repository; where the links are your own, --follow-links "
                + "has them followed")
    }

    @Test func `Links that stay inside are followed`() throws {
        // As Kubernetes mounts a volume: everything is a link to `..data`, and that to the folder of the day.
        let repository = try TemporaryRepository()
        try repository.file("..2026_01_01/m/1/model.stub")
        try repository.file(
            "..2026_01_01/m/config.pbtxt", "output { name: \"O\" data_type: TYPE_FP32 dims: 1 label_filename: \"l\" }")
        try repository.file("..2026_01_01/m/l", "cat")
        try repository.link("..data", to: "..2026_01_01")
        try repository.link("m", to: "..data/m")
        try repository.folder("n")
        try repository.link("n/1", to: "../m/1")
        #expect(try repository.reader().modelKeys() == ["m", "n"])
        let model = try repository.read("m")
        #expect(model.versions.first?.modelPath == repository.path + "/m/1/model.stub")
        #expect(try repository.reader().labels(of: model) == ["O": ["cat"]])
        #expect(try repository.read("n").versions.first?.modelPath == repository.path + "/n/1/model.stub")
    }

    @Test func `A model's folder does not lead outside`() throws {
        let repository = try TemporaryRepository()
        try repository.file("../elsewhere/1/model.stub")
        try repository.link("m", to: "../elsewhere")
        #expect(repository.error("m") == outside("m", "elsewhere", repository))
    }

    @Test func `A folder beside the repository is outside, also where its name begins with the same letters`() throws {
        let repository = try TemporaryRepository()
        try repository.file("../repository2/1/model.stub")
        try repository.link("m", to: "../repository2")
        #expect(repository.error("m") == outside("m", "repository2", repository))
    }

    @Test func `A configuration does not lead outside`() throws {
        let repository = try TemporaryRepository()
        try repository.file("../secret", "password: \"1234\"")
        try repository.model("m")
        try repository.link("m/config.pbtxt", to: "../../secret")
        let error = repository.error("m")
        #expect(error == outside("m/config.pbtxt", "secret", repository))
        #expect(error?.message.contains("1234") == false)
    }

    @Test func `A version's folder does not lead outside`() throws {
        let repository = try TemporaryRepository()
        try repository.model("m")
        try repository.file("../elsewhere/model.stub")
        try repository.link("m/2", to: "../../elsewhere")
        #expect(repository.error("m") == outside("m/2", "elsewhere", repository))
    }

    @Test func `A model file does not lead outside`() throws {
        let repository = try TemporaryRepository()
        try repository.file("../elsewhere")
        try repository.folder("m/1")
        try repository.link("m/1/model.stub", to: repository.outside + "/elsewhere")
        #expect(repository.error("m") == outside("m/1/model.stub", "elsewhere", repository))
    }

    @Test func `What lies beside a model file, or in a model folder, does not lead outside`() throws {
        let repository = try TemporaryRepository()
        try repository.file("../weights")
        for (model, link) in [("a", "1/model.bin"), ("b", "1/..data"), ("c", "1/variables/deep/shard")] {
            try repository.model(model)
            try repository.folder("\(model)/1/variables/deep")
            try repository.link("\(model)/\(link)", to: repository.outside + "/weights")
            #expect(repository.error(model) == outside("\(model)/\(link)", "weights", repository))
        }
    }

    @Test func `A link inside does not lead outside by another`() throws {
        let repository = try TemporaryRepository()
        try repository.file("../weights")
        try repository.folder("shared/store")
        try repository.link("shared/store/weights", to: "../../../weights")
        try repository.model("m")
        try repository.link("m/1/assets", to: "../../shared/store")
        #expect(repository.error("m") == outside("shared/store/weights", "weights", repository))
    }

    @Test func `Links in a circle and links to nothing do no harm`() throws {
        let repository = try TemporaryRepository()
        try repository.model("m")
        try repository.link("m/1/self", to: ".")
        try repository.link("m/1/model", to: "../../m")
        try repository.link("m/1/nothing", to: "/nowhere/at/all")
        #expect(repository.error("m") == nil)
    }

    @Test func `Links that lead out are followed where the operator says so`() throws {
        let repository = try TemporaryRepository()
        try repository.file("../store/relu/1/model.stub")
        try repository.file(
            "../store/relu/config.pbtxt", "output { name: \"O\" data_type: TYPE_FP32 dims: 1 label_filename: \"l\" }")
        try repository.file("../store/relu/l", "cat")
        try repository.link("model", to: "../../repository/../store/relu")
        try repository.folder("version")
        try repository.link("version/1", to: repository.outside + "/store/relu/1")
        try repository.folder("file/1")
        try repository.link("file/1/model.stub", to: repository.outside + "/store/relu/1/model.stub")
        try repository.link("file/config.pbtxt", to: repository.outside + "/store/relu/config.pbtxt")
        try repository.link("file/l", to: repository.outside + "/store/relu/l")
        var reader = try repository.reader()
        reader.followsLinks = true
        for name in ["version", "file"] {
            #expect(try reader.readModel(name, backends: StubBackend.all).versions.count == 1)
            #expect(repository.error(name)?.message.contains("--follow-links") == true)
        }
        #expect(try reader.labels(of: try reader.readModel("file", backends: StubBackend.all)) == ["O": ["cat"]])
    }

    @Test func `Names that look alike are not the same folder`() throws {
        // An accented letter in one piece and in two are equal as strings, and two folders all the same.
        let repository = try TemporaryRepository()
        try repository.file("../caf\u{E9}/1/model.stub")
        try repository.folder("../cafe\u{301}")
        try repository.link("../cafe\u{301}/m", to: "../caf\u{E9}")
        let reader = try ModelRepositoryReader(paths: [repository.outside + "/cafe\u{301}"])
        let error = repository.error { try reader.readModel("m", backends: StubBackend.all) }
        #expect(error?.message.contains("outside of") == true)
    }

    @Test(arguments: ["../x", "/etc/passwd", "a/../../x", ".."])
    func `Names in a configuration do not lead outside`(name: String) throws {
        let repository = try TemporaryRepository()
        try repository.model("m", configuration: "backend: \"stub\" default_model_filename: \"\(name)\"")
        try repository.model("b", configuration: "backend: \"\(name)\"")
        try repository.model(
            "l", configuration: "output { name: \"O\" data_type: TYPE_FP32 dims: 1 label_filename: \"\(name)\" }")
        #expect(repository.error("m")?.message.contains("leads out of the version folder") == true)
        #expect(repository.error("b")?.message.contains("unable to find backend library for backend '\(name)'") == true)
        #expect(
            repository.error("l")?.message.contains("for output 'O' in model 'l' is outside model directory") == true)
    }
}
