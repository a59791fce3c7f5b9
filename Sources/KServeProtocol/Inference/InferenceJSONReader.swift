internal import Halcyon
internal import JSONText
internal import ModelConfigurations
package import Tensors

/// Reads the body of an inference request: JSON, and binary data behind it (the binary tensor data extension).
package struct InferenceJSONReader {
    private let limits: ProtocolLimits
    private let memory: SharedMemory
    private let budget: ByteBudget

    /// - Parameter budget: what tensors count against that are made of text.
    package init(limits: ProtocolLimits, memory: SharedMemory, budget: ByteBudget = .unlimited) {
        self.limits = limits
        self.memory = memory
        self.budget = budget
    }

    /// - Parameters:
    ///   - body: the whole body.
    ///   - jsonByteCount: how much of it is JSON.
    /// - Throws: `invalidArgument` that names the field; `notFound` for a region of shared memory that nobody
    ///   registered.
    package func read(
        _ body: TensorBuffer, jsonByteCount: Int, model: String, version: Int64?
    ) throws(HalcyonError) -> InferenceCall {
        do {
            let json = try body.slice(offset: 0, byteCount: jsonByteCount)
            let binary = try body.slice(offset: jsonByteCount, byteCount: body.byteCount - jsonByteCount)
            let document = try json.withUnsafeBytes { try InferenceJSONDocument($0, limits: limits, budget: budget) }
            return try json.withUnsafeBytes { text in
                try call(document, text, binary: BinarySection(binary, model: model), model: model, version: version)
            }
        } catch let error as JSONError {
            throw HalcyonError(.invalidArgument, "failed to parse the request JSON buffer: \(error)", cause: error)
        } catch {
            throw HalcyonError(wrapping: error)
        }
    }

    private func call(
        _ document: InferenceJSONDocument, _ text: UnsafeRawBufferPointer, binary: BinarySection, model: String,
        version: Int64?
    ) throws -> InferenceCall {
        var binary = binary
        guard let inputs = document.inputs else { throw InferenceJSONDocument.missing("inputs") }
        var tensors: [Tensor] = []
        tensors.reserveCapacity(inputs.count)
        for input in inputs { tensors.append(try tensor(input, text, &binary)) }
        try binary.end()
        let outputs = try document.outputs.map { try output($0) }
        var call = InferenceCall(
            request: InferenceRequest(
                modelName: model, modelVersion: version, id: document.id, inputs: tensors,
                requestedOutputs: outputs.map(\.name), priority: document.parameters.priority,
                timeoutMicroseconds: document.parameters.timeoutMicroseconds),
            outputs: outputs)
        call.request.sequence = document.parameters.sequence
        call.request.parameters = document.parameters.forModel
        call.form.prefersBinary = document.parameters.prefersBinaryOutputs
        return call
    }

    private func tensor(
        _ input: InferenceJSONDocument.Tensor, _ text: UnsafeRawBufferPointer, _ binary: inout BinarySection
    ) throws -> Tensor {
        guard let name = input.name else { throw InferenceJSONDocument.missing("name") }
        guard let typeName = input.dataType else { throw InferenceJSONDocument.missing("datatype") }
        guard let elementType = ElementType(rawValue: typeName) else {
            throw HalcyonError(
                .invalidArgument,
                "invalid datatype '\(typeName.shortened())' of input '\(name.shortened())'"
                    + ElementType.advice(for: typeName))
        }
        guard let shape = input.shape else { throw InferenceJSONDocument.missing("shape") }
        let hasData = input.data != nil || input.values != nil
        let sources = [hasData, input.binarySize != nil, input.region != nil].filter { $0 }.count
        guard sources == 1 else {
            throw HalcyonError(
                .invalidArgument,
                "Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', "
                    + "'shared_memory_region' in 'parameters'. But \(sources == 0 ? "no" : "more than one") field is "
                    + "set"
            )
        }
        var tensor = Tensor(named: name, elementType: elementType, shape: shape)
        if let values = input.values {
            tensor.data = values
        } else if let data = input.data {
            var scanner = JSONScanner(UnsafeRawBufferPointer(rebasing: text[data]), limits: limits.inferenceText)
            let reader = TensorJSONReader(name: name, elementType: elementType, shape: shape, budget: budget)
            tensor.data = try reader.read(&scanner)
        } else if let size = input.binarySize {
            tensor.data = try binary.take(size, for: name)
        } else if let region = try input.regionReference() {
            try memory.checkAllowed()
            tensor.data = try memory.buffer(region)
        }
        return tensor
    }

    private func output(_ output: InferenceJSONDocument.Tensor) throws -> RequestedOutput {
        guard let name = output.name else { throw InferenceJSONDocument.missing("name") }
        var requested = RequestedOutput(name: name)
        requested.isBinary = output.isBinary
        requested.classCount = output.classCount
        requested.region = try output.regionReference()
        if requested.region != nil, requested.classCount > 0 {
            throw HalcyonError(
                .invalidArgument, "output '\(name)' can't have both classification and a shared memory region")
        }
        if let region = requested.region {
            // Found out before the model runs, not after.
            _ = try memory.buffer(region)
        }
        return requested
    }
}

extension Tensor {
    /// A tensor whose bytes are still to come. Whether they are as many as the shape says is the engine's to check,
    /// against the model.
    init(named name: String, elementType: ElementType, shape: TensorShape) {
        self.init(unchecked: name, elementType: elementType, shape: shape, data: TensorBuffer(copying: [UInt8]()))
    }
}

/// The bytes behind the JSON, handed out in order.
struct BinarySection {
    private let bytes: TensorBuffer
    private let model: String
    private var position = 0

    init(_ bytes: TensorBuffer, model: String) {
        self.bytes = bytes
        self.model = model
    }

    mutating func take(_ count: Int, for input: String) throws(HalcyonError) -> TensorBuffer {
        let left = bytes.byteCount - position
        guard count <= left else {
            throw HalcyonError(
                .invalidArgument,
                "unexpected size for input '\(input)', expecting \(count - left) additional bytes for model '\(model)'")
        }
        let buffer = try bytes.slice(offset: position, byteCount: count)
        position += count
        return buffer
    }

    func end() throws(HalcyonError) {
        guard position == bytes.byteCount else {
            throw HalcyonError(.invalidArgument, "unexpected additional input data for model '\(model)'")
        }
    }
}
