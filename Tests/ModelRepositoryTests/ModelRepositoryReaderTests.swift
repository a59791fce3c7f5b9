import Foundation
import ModelConfigurations
import ModelRepository
import Tensors
import Testing

struct ModelRepositoryReaderTests {
    // MARK: Repositories

    @Test func `Models are the folders of all repositories, by name`() throws {
        let first = try TemporaryRepository()
        let second = try TemporaryRepository()
        for name in ["b", "a", "..data", "spaced name"] { try first.folder(name) }
        try first.file("README.md")
        try first.link("loop", to: "loop")
        try first.link("linked", to: "a")
        try second.folder("c")
        let reader = try ModelRepositoryReader(paths: [first.path, second.path, first.path + "/../repository"])
        #expect(try reader.modelKeys() == ["a", "b", "c", "linked", "spaced name"])
    }

    @Test func `Names that are not UTF-8 are passed over`() throws {
        let repository = try TemporaryRepository()
        try repository.model("a")
        let name = repository.path.utf8.map { CChar(bitPattern: $0) } + [47, -1, -2, 0]
        #expect(mkdir(name, 0o755) == 0)
        #expect(try repository.reader().modelKeys() == ["a"])
    }

    @Test func `A repository that is not one is an error`() throws {
        let repository = try TemporaryRepository()
        try repository.file("file")
        let error = { (paths: [String]) in repository.error { try ModelRepositoryReader(paths: paths) } }
        #expect(
            error([repository.path + "/none"])
                == HalcyonError(.notFound, "the model repository '<repository>/none' does not exist"))
        #expect(
            error([repository.path + "/file"])
                == HalcyonError(.invalidArgument, "the model repository '<repository>/file' is not a folder"))
        #expect(error([])?.code == .invalidArgument)
        #expect(error(["a\0b"])?.code == .invalidArgument)
    }

    @Test func `A model that no repository has is not found`() throws {
        let repository = try TemporaryRepository()
        try repository.file("file")
        for name in ["nosuch", "file"] {
            #expect(
                repository.error(name)
                    == HalcyonError(
                        .notFound,
                        "failed to load '\(name)', failed to poll from model repository: there is no folder of that "
                            + "name in <repository>"))
        }
    }

    @Test func `A model that two repositories have is an error`() throws {
        let first = try TemporaryRepository()
        let second = try TemporaryRepository()
        try first.model("m")
        try second.model("m")
        let reader = try ModelRepositoryReader(paths: [first.path, second.path])
        #expect(
            first.error { try reader.readModel("m", backends: StubBackend.all) }?.message
                == "failed to load 'm', model name must be unique across all model repositories: it is in "
                + "<repository> and "
                + second.path)
    }

    // MARK: A model

    @Test func `A model is read with its newest version`() throws {
        let repository = try TemporaryRepository()
        try repository.model("m", configuration: "max_batch_size: 8")
        for name in ["2/model.stub", "10/other.stub", "10/model.stub", "labels/7", "11"] {
            try repository.file("m/" + name)
        }
        let model = try repository.read("m")
        #expect(model.directory == repository.path + "/m")
        #expect(model.configuration.maxBatchSize == 8)
        #expect(model.configuration.backend == "stub")
        #expect(model.engine == EngineSelection(backendName: "stub", filenames: ["model.stub", "other.stub"]))
        #expect(
            model.versions == [
                .init(number: 10, modelPath: repository.path + "/m/10/model.stub", filename: "model.stub")
            ])
        #expect(model.notices == [])
        #expect(model.diagnostics == [])
    }

    @Test func `A policy may choose several versions, each with its own file`() throws {
        let repository = try TemporaryRepository()
        try repository.model("m", configuration: "version_policy { specific { versions: [ 1, 2, 9 ] } }")
        try repository.file("m/2/other.stub")
        try repository.file("m/3/model.stub")
        let model = try repository.read("m")
        #expect(model.versions.map(\.number) == [1, 2])
        #expect(model.versions.map(\.filename) == ["model.stub", "other.stub"])
        #expect(model.notices == ["version 9 is specified for model 'm', but the version directory is not present"])
    }

    @Test func `Folders that are almost versions are passed over with a notice`() throws {
        let repository = try TemporaryRepository()
        try repository.model("m")
        for name in ["0", "02", "99999999999999999999", "+3", "-4", "5a", "١"] { try repository.folder("m/\(name)") }
        let model = try repository.read("m")
        #expect(model.versions.map(\.number) == [1])
        #expect(model.notices.count == 3)
        for (notice, name) in zip(model.notices, ["0", "02", "99999999999999999999"]) {
            #expect(
                notice.hasPrefix("ignore version directory '\(name)' of '\(repository.path)/m': a version is a number"))
        }
    }

    @Test func `No version that the policy allows is an error with what is there`() throws {
        let repository = try TemporaryRepository()
        try repository.folder("empty")
        try repository.folder("zero/01")
        try repository.model("m", configuration: "version_policy { specific { versions: [ 7 ] } }")
        try repository.file("m/3/model.stub")
        let start = { (name: String) in
            "at least one version must be available under the version policy of model '\(name)': "
                + "'<repository>/\(name)' "
        }
        #expect(
            repository.error("empty")
                == HalcyonError(
                    .invalidArgument,
                    start("empty") + "has no version folder; make a folder 1 and put the model into it"))
        #expect(repository.error("m") == HalcyonError(.invalidArgument, start("m") + "has version 1, 3"))
        #expect(
            repository.error("zero")?.message.contains("has no version folder; ignore version directory '01'") == true)
    }

    @Test func `A backend without files needs only the version folder`() throws {
        let repository = try TemporaryRepository()
        try repository.file("m/config.pbtxt", "backend: \"fileless\"")
        try repository.folder("m/1")
        #expect(try repository.read("m").versions == [.init(number: 1, modelPath: nil, filename: nil)])
    }

    @Test func `A model may be a folder, and may lie deeper`() throws {
        let repository = try TemporaryRepository()
        try repository.file("m/config.pbtxt", "backend: \"stub\" default_model_filename: \"export/net\"")
        try repository.file("m/1/export/net/weights")
        #expect(
            try repository.read("m").versions == [
                .init(number: 1, modelPath: repository.path + "/m/1/export/net", filename: "export/net")
            ])
    }

    @Test func `A version folder without a model file is an error that says what was looked for`() throws {
        let repository = try TemporaryRepository()
        try repository.file("m/1/README.md")
        try repository.file("m/config.pbtxt", "backend: \"stub\"")
        #expect(
            repository.error("m")
                == HalcyonError(
                    .unavailable,
                    "model 'm' has no model file: '<repository>/m/1' holds none of model.stub, other.stub; "
                        + "default_model_filename can name another"))
    }

    @Test func `A model file that is neither file nor folder is an error`() throws {
        let repository = try TemporaryRepository()
        try repository.folder("m/1")
        #expect(mkfifo(repository.path + "/m/1/model.stub", 0o600) == 0)
        #expect(
            repository.error("m")
                == HalcyonError(.invalidArgument, "'<repository>/m/1/model.stub' is neither a file nor a folder"))
    }

    // MARK: The configuration

    @Test func `Complaints about a configuration name the file`() throws {
        let repository = try TemporaryRepository()
        try repository.model("m", configuration: "max_batch_size: eight\nmax_batch_sise: 3\n")
        let error = repository.error("m")
        #expect(error?.code == .invalidArgument)
        let lines = error?.message.split(separator: "\n") ?? []
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("<repository>/m/config.pbtxt:1:17: error: ") == true)
        #expect(lines.last?.hasPrefix("<repository>/m/config.pbtxt:2:1: error: ") == true)
    }

    @Test func `A configuration that is too large is not read`() throws {
        let repository = try TemporaryRepository()
        try repository.model("m")
        let most = ConfigurationReader.maximumByteCount
        try repository.file("m/config.pbtxt", bytes: Array(repeating: UInt8(ascii: " "), count: most))
        #expect(repository.error("m") == nil)
        try repository.file("m/config.pbtxt", bytes: Array(repeating: UInt8(ascii: " "), count: most + 1))
        #expect(
            repository.error("m")
                == HalcyonError(
                    .invalidArgument,
                    "'<repository>/m/config.pbtxt' has more than \(most) bytes, the most that are read"))
    }

    @Test func `A configuration that can't be read is an error, not an absent one`() throws {
        let repository = try TemporaryRepository()
        for name in ["folder", "pipe", "dangling", "loop"] { try repository.model(name) }
        try repository.folder("folder/config.pbtxt")
        #expect(mkfifo(repository.path + "/pipe/config.pbtxt", 0o600) == 0)
        try repository.link("dangling/config.pbtxt", to: "nowhere")
        try repository.link("loop/config.pbtxt", to: "config.pbtxt")
        for name in ["folder", "pipe"] {
            #expect(
                repository.error(name)
                    == HalcyonError(.invalidArgument, "'<repository>/\(name)/config.pbtxt' is not a file"))
        }
        for (name, reason) in [
            ("dangling", "No such file or directory"), ("loop", "Too many levels of symbolic links"),
        ] {
            #expect(
                repository.error(name)
                    == HalcyonError(.internal, "failed to stat '<repository>/\(name)/config.pbtxt': \(reason)"))
        }
    }

    @Test(.enabled(if: geteuid() != 0, "the superuser may read everything"))
    func `A folder that may not be read is an error`() throws {
        let repository = try TemporaryRepository()
        try repository.model("m")
        #expect(chmod(repository.path + "/m", 0) == 0)
        #expect(
            repository.error("m")
                == HalcyonError(.internal, "failed to stat '<repository>/m/config.pbtxt': Permission denied"))
        #expect(chmod(repository.path + "/m", 0o400) == 0)
        #expect(repository.error("m")?.message.hasSuffix("Permission denied") == true)
        #expect(chmod(repository.path + "/m", 0o700) == 0)
        #expect(repository.error("m") == nil)
    }
}
