internal import ModelConfigurations
package import ModelRuntime
internal import Tensors
internal import Threads

/// A decoupled example: it answers a list of numbers with one response for each.
///
/// Inputs: `IN`, INT32 or FP32 of any length; and, where the configuration has it, `DELAY`, UINT32 of the same length,
/// the milliseconds before each response; and, where the configuration has it, `WAIT`, one UINT32, the milliseconds
/// after which the instance is free again, whatever responses are still to come. Outputs: `OUT`, one element of the
/// type of `IN`, and, where the configuration has it, `IDX`, UINT32, the number of the response from 0. The
/// configuration needs `model_transaction_policy { decoupled: true }` and `max_batch_size: 0`.
package struct RepeatEngine: Backend {
    private let pauses: Pauses

    package init() { self.init(pauses: Pauses()) }

    package init(pauses: Pauses) { self.pauses = pauses }

    package var name: String { "repeat" }
    package var modelFilenames: [String] { [] }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        try RepeatModel(source.configuration, pauses: pauses)
    }
}

private final class RepeatModel: BackendModel {
    private let hasIndex: Bool
    private let elementType: ElementType
    private let pauses: Pauses

    init(_ configuration: ModelConfiguration, pauses: Pauses) throws(HalcyonError) {
        self.pauses = pauses
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
            guard ["DELAY", "WAIT"].contains(other.name), other.elementType == .uint32, other.dimensions.rank == 1
            else {
                throw fault(
                    "has no input '\(other.name)' but DELAY, of TYPE_UINT32 with dims: [ -1 ], and WAIT, of "
                        + "TYPE_UINT32 with dims: [ 1 ]")
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
        RepeatInstance(elementType: elementType, hasIndex: hasIndex, pauses: pauses)
    }
}

private final class RepeatInstance: DecoupledModelInstance {
    private let elementType: ElementType
    private let hasIndex: Bool
    private let pauses: Pauses

    init(elementType: ElementType, hasIndex: Bool, pauses: Pauses) {
        self.elementType = elementType
        self.hasIndex = hasIndex
        self.pauses = pauses
    }

    func execute(_ request: DecoupledRequest) throws {
        let responses = try Responses(request, elementType: elementType, hasIndex: hasIndex, pauses: pauses)
        let waits = try request.inputs.first { $0.name == "WAIT" }?.elements(as: UInt32.self)
        guard let waits else { return try responses.send() }
        guard let wait = waits.first, waits.count == 1 else {
            throw HalcyonError(
                .invalidArgument, "unexpected size for WAIT input: it has \(waits.count) elements, expected 1")
        }
        // The responses go on while the instance takes the next request.
        try WorkerThread.detach(name: "repeat") {
            do {
                try responses.send()
                request.finish()
            } catch {
                request.fail(error)
            }
        }
        _ = pauses.wait(milliseconds: UInt64(wait)) { request.isCancelled }
    }
}

/// What a request is answered with.
private struct Responses: Sendable {
    private let request: DecoupledRequest
    private let values: Tensor
    private let delays: [UInt32]
    private let elementType: ElementType
    private let hasIndex: Bool
    private let pauses: Pauses
    private let count: Int

    /// - Throws: `invalidArgument` where there are not as many delays as numbers.
    init(_ request: DecoupledRequest, elementType: ElementType, hasIndex: Bool, pauses: Pauses) throws {
        self.request = request
        self.elementType = elementType
        self.hasIndex = hasIndex
        self.pauses = pauses
        values = try request.input("IN")
        count = values.data.byteCount / 4
        let given = request.inputs.first { $0.name == "DELAY" }
        delays = try given?.elements(as: UInt32.self) ?? []
        if let given, delays.count != count {
            throw HalcyonError(
                .invalidArgument,
                "expected IN and DELAY shape to match, got \(values.shape) and \(given.shape): DELAY has "
                    + "\(delays.count) elements, and IN has \(count)")
        }
    }

    func send() throws {
        for index in 0..<count {
            if index < delays.count, delays[index] > 0 {
                _ = pauses.wait(milliseconds: UInt64(delays[index])) { request.isCancelled }
            }
            if request.isCancelled { throw HalcyonError(.cancelled, "the caller has gone") }
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
