internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

final class IdentityModel: BackendModel {
    /// An output, and the input that it is.
    struct Pair: Sendable {
        var input: String
        var output: TensorConfiguration
    }

    let pairs: [Pair]
    let delays: Delays
    private let hasBatch: Bool
    private let pauses: Pauses

    /// A slow one has its own thread to be slow on.
    var mayRunOnCallerThread: Bool { delays.executionMilliseconds == 0 }

    var outputsLikeInputs: [String: String] {
        Dictionary(pairs.map { ($0.output.name, $0.input) }, uniquingKeysWith: { first, _ in first })
    }

    init(_ configuration: ModelConfiguration, pauses: Pauses) throws(HalcyonError) {
        guard configuration.inputs.count == configuration.outputs.count else {
            throw HalcyonError(
                .invalidArgument,
                "model configuration must have equal input/output pairs: model '\(configuration.name)' has "
                    + "\(configuration.inputs.count) inputs and \(configuration.outputs.count) outputs, and the "
                    + "identity backend needs as many of the one as of the other")
        }
        pairs = Self.pairs(configuration)
        for pair in pairs {
            guard let input = configuration.inputs.first(where: { $0.name == pair.input }),
                input.elementType != pair.output.elementType
            else { continue }
            throw HalcyonError(
                .invalidArgument,
                "model '\(configuration.name)': output '\(pair.output.name)' has the type "
                    + "\(pair.output.elementType.rawValue), but the identity backend gives it that of input "
                    + "'\(input.name)', \(input.elementType.rawValue)")
        }
        delays = try Delays(configuration)
        hasBatch = configuration.maxBatchSize > 0
        self.pauses = pauses
    }

    /// By number where all names are `INPUT` and `OUTPUT` with one, and by position where they are others.
    private static func pairs(_ configuration: ModelConfiguration) -> [Pair] {
        let inputs = Set(configuration.inputs.map(\.name))
        let numbered = configuration.outputs.compactMap { output -> Pair? in
            guard output.name.hasPrefix("OUTPUT") else { return nil }
            let input = "INPUT" + output.name.dropFirst("OUTPUT".count)
            return inputs.contains(input) ? Pair(input: input, output: output) : nil
        }
        if numbered.count == configuration.outputs.count { return numbered }
        return zip(configuration.inputs, configuration.outputs).map { Pair(input: $0.name, output: $1) }
    }

    func makeInstance(_ identity: InstanceIdentity) -> any ModelInstance {
        IdentityInstance(
            pairs, hasBatch: hasBatch, delay: delays.milliseconds(ofInstance: identity.index), pauses: pauses)
    }
}
