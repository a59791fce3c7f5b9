private import Glibc
public import Logging
public import ModelConfigurations

/// What a backend gets to make a model from.
public struct ModelSource: Sendable {
    /// The model's name.
    public var modelName: String
    /// The version's number, that of its folder.
    public var version: Int64
    /// The configuration as written. What it leaves open is completed from the model's signature afterwards.
    public var configuration: ModelConfiguration
    /// The absolute path of the model's folder, `<repository>/<model>`.
    public var modelDirectory: String
    /// The absolute path of the model file or folder; `nil` for a backend that names no model files.
    public var modelPath: String?
    /// Where the backend logs what an operator should know of this model.
    public var log: Logger

    /// Told when nobody waits for the model any more while it is made; `nil` where nobody gives it up.
    package var abandonment: LoadAbandonment?

    /// ``modelPath``, or what lies in it where it is a folder `model.onnx`: large ONNX models are kept like that, with
    /// their weights beside the file.
    package var onnxPath: String? {
        guard let modelPath, modelPath.hasSuffix(".onnx") else { return modelPath }
        let inner = "\(modelPath)/model.onnx"
        return access(inner, F_OK) == 0 ? inner : modelPath
    }

    /// What a backend is given; for tests of a backend.
    public init(
        modelName: String, version: Int64, configuration: ModelConfiguration, modelDirectory: String,
        modelPath: String?, log: Logger
    ) {
        self.modelName = modelName
        self.version = version
        self.configuration = configuration
        self.modelDirectory = modelDirectory
        self.modelPath = modelPath
        self.log = log
    }
}
