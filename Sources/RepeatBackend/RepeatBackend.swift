internal import Glibc
internal import ModelConfiguration
public import ModelRuntime
internal import Tensors

/// A decoupled example: it answers a list of numbers with one response for each.
///
/// Inputs: `IN`, INT32 or FP32 of any length; and, where the configuration has it, `DELAY`, UINT32 of the same length, the
/// milliseconds before each response. Outputs: `OUT`, one element of the type of `IN`, and, where the configuration has it,
/// `IDX`, UINT32, the number of the response from 0. The configuration needs
/// `model_transaction_policy { decoupled: true }` and `max_batch_size: 0`.
public struct RepeatBackend: Backend {
    public init() {}

    public var name: String { "repeat" }
    public var modelFilenames: [String] { [] }

    public func openModel(_ source: ModelSource) throws -> any Model { try RepeatModel(source.configuration) }
}

private final class RepeatModel: Model {
    private let hasIndex: Bool
    private let elementType: ElementType

    init(_ configuration: ModelConfiguration) throws(HalcyonError) {
        func fault(_ what: String) -> HalcyonError {
            HalcyonError(.invalidArgument, "model '\(configuration.name)': the repeat backend \(what)")
        }
        guard configuration.isDecoupled, configuration.maxBatchSize == 0 else {
            throw fault("needs model_transaction_policy { decoupled: true } and max_batch_size: 0")
        }
        guard let input = configuration.inputs.first(where: { $0.name == "IN" }), input.dimensions.rank == 1,
            input.elementType == .int32 || input.elementType == .fp32
        else { throw fault("needs an input 'IN' of TYPE_INT32 or TYPE_FP32 with dims: [ -1 ]") }
        for other in configuration.inputs where other.name != "IN" {
            guard other.name == "DELAY", other.elementType == .uint32, other.dimensions.rank == 1 else {
                throw fault("has no input '\(other.name)' but DELAY, of TYPE_UINT32 with dims: [ -1 ]")
            }
        }
        guard let output = configuration.outputs.first(where: { $0.name == "OUT" }),
            output.elementType == input.elementType
        else { throw fault("needs an output 'OUT' of the type of 'IN'") }
        for other in configuration.outputs where other.name != "OUT" {
            guard other.name == "IDX", other.elementType == .uint32 else {
                throw fault("has no output '\(other.name)' but IDX, of TYPE_UINT32")
            }
        }
        elementType = input.elementType
        hasIndex = configuration.outputs.contains { $0.name == "IDX" }
    }

    func makeInstance(_ identity: InstanceIdentity) -> any ModelInstance {
        RepeatInstance(elementType: elementType, hasIndex: hasIndex)
    }
}

private final class RepeatInstance: DecoupledModelInstance {
    private let elementType: ElementType
    private let hasIndex: Bool

    init(elementType: ElementType, hasIndex: Bool) {
        self.elementType = elementType
        self.hasIndex = hasIndex
    }

    func execute(_ request: DecoupledRequest) throws {
        let values = try request.input("IN")
        let count = values.data.byteCount / 4
        let delays = try request.inputs.first { $0.name == "DELAY" }?.elements(as: UInt32.self) ?? []
        guard delays.isEmpty || delays.count == count else {
            throw HalcyonError(.invalidArgument, "DELAY has \(delays.count) elements, and IN has \(count)")
        }
        for index in 0..<count {
            if request.isCancelled { throw HalcyonError(.cancelled, "the caller has gone") }
            if index < delays.count, delays[index] > 0 {
                usleep(delays[index].multipliedReportingOverflow(by: 1000).partialValue)
            }
            var outputs = [
                try Tensor(
                    name: "OUT", elementType: elementType, shape: [1],
                    data: try values.data.slice(offset: index * 4, byteCount: 4))
            ]
            if hasIndex { outputs.append(try Tensor(name: "IDX", shape: [1], [UInt32(truncatingIfNeeded: index)])) }
            try request.send(outputs)
        }
    }
}
