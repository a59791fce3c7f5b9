import Foundation
import ModelConfigurations
import ModelRepository
import ModelRuntime
import Tensors
import Testing

/// What Triton does with model folders that hold `simple.onnx`, as recorded beside this package.
enum Recorded {
    static let folder = URL(fileURLWithPath: #filePath).appending(path: "../../../../../shared/wire").standardized
    static let isThere = FileManager.default.fileExists(atPath: folder.appending(path: "configurations.json").path)
    static let absent: Comment = "the recordings in ../shared/wire are not here"

    /// What `simple.onnx` says of itself.
    static let signature = ModelSignature(
        inputs: [port("INPUT0"), port("INPUT1")], outputs: [port("OUTPUT0"), port("OUTPUT1")])

    private static func port(_ name: String) -> ModelSignature.Port {
        ModelSignature.Port(name: name, elementType: .int32, shape: [-1, 16])
    }

    static func json(_ name: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appending(path: name)))
    }

    /// The folder of a case, as the recordings' own page describes it.
    static func lay(_ name: String, configuration: String?, in repository: TemporaryRepository) throws {
        let isEnsemble = configuration?.contains("platform: \"ensemble\"") == true
        try isEnsemble ? repository.folder("\(name)/1") : repository.file("\(name)/1/model.onnx")
        if let configuration { try repository.file("\(name)/config.pbtxt", configuration) }
    }

    struct Loaded {
        var configuration: ModelConfiguration
        var instances: [InstanceIdentity]
    }

    /// What loading a model does, up to the engine.
    static func load(_ name: String, from repository: TemporaryRepository) throws -> Loaded {
        let definition = try repository.read(name)
        if let ensemble = definition.configuration.ensemble {
            _ = try EnsembleGraph(definition.configuration, ensemble)
        }
        var configuration = try ConfigurationCompletion.complete(definition.configuration, signature: signature)
        try ConfigurationCheck.checkWarmUps(configuration)
        try ConfigurationCheck.check(configuration, against: signature)
        configuration.defaultModelFilename = try #require(definition.versions.last?.filename)
        return Loaded(configuration: configuration, instances: try InstancePlan.instances(of: configuration))
    }
}
