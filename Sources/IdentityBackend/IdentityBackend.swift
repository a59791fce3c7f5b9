internal import ModelConfiguration
public import ModelRuntime
internal import Tensors

/// The engine that does nothing: it returns the first input as the first output, the second as the second, and so on,
/// without a copy. It is for trying out a configuration and for measuring what everything else costs.
public struct IdentityBackend: Backend {
    public init() {}

    public var name: String { "identity" }
    public var modelFilenames: [String] { [] }

    public func openModel(_ source: ModelSource) throws -> any Model { try IdentityModel(source.configuration) }
}

private final class IdentityModel: Model {
    private let outputNames: [String]

    var mayRunOnCallerThread: Bool { true }

    init(_ configuration: ModelConfiguration) throws(HalcyonError) {
        guard configuration.inputs.count == configuration.outputs.count else {
            throw HalcyonError(
                .invalidArgument,
                "model '\(configuration.name)' has \(configuration.inputs.count) inputs and "
                    + "\(configuration.outputs.count) outputs: the identity backend needs as many of the one as of the other"
            )
        }
        for (input, output) in zip(configuration.inputs, configuration.outputs)
        where input.elementType != output.elementType {
            throw HalcyonError(
                .invalidArgument,
                "model '\(configuration.name)': output '\(output.name)' has the type \(output.elementType.rawValue), but "
                    + "the identity backend gives it that of input '\(input.name)', \(input.elementType.rawValue)")
        }
        if let parameter = configuration.parameters.keys.sorted().first {
            throw HalcyonError(
                .unsupported,
                "model '\(configuration.name)': the identity backend has no parameter '\(parameter)', nor any other")
        }
        outputNames = configuration.outputs.map(\.name)
    }

    func makeInstance(_ identity: InstanceIdentity) -> any ModelInstance { IdentityInstance(outputNames) }
}

private final class IdentityInstance: ModelInstance {
    private let outputNames: [String]

    init(_ outputNames: [String]) { self.outputNames = outputNames }

    func execute(_ batch: inout ExecutionBatch) -> [Tensor] {
        zip(batch.inputs, outputNames).map { input, name in
            var output = input
            output.name = name
            return output
        }
    }
}
