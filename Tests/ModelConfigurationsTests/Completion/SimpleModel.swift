import ModelConfigurations
import Tensors

/// Models that say the same of themselves as Triton's examples do.
enum SimpleModel {
    static func port(_ name: String, _ type: ElementType = .int32, _ shape: TensorShape? = [-1, 16])
        -> ModelSignature.Port
    {
        ModelSignature.Port(name: name, elementType: type, shape: shape)
    }

    /// `simple.onnx`: two inputs and two outputs, INT32 [-1,16].
    static let signature = ModelSignature(
        inputs: [port("INPUT0"), port("INPUT1")], outputs: [port("OUTPUT0"), port("OUTPUT1")])

    static func tensor(_ name: String, _ type: ElementType = .int32, _ shape: TensorShape = [16]) -> TensorConfiguration
    {
        TensorConfiguration(name: name, elementType: type, dimensions: shape)
    }

    /// A configuration that agrees with the signature.
    static var configuration: ModelConfiguration {
        var configuration = ModelConfiguration(name: "simple")
        configuration.maxBatchSize = 8
        configuration.inputs = [tensor("INPUT0"), tensor("INPUT1")]
        configuration.outputs = [tensor("OUTPUT0"), tensor("OUTPUT1")]
        return configuration
    }
}
