internal import Halcyon
internal import ProtobufWire
package import Tensors

/// Reads `ModelInferRequest`; tensors in `raw_input_contents` stay where they are.
///
/// Field numbers are those of Protos/grpc_service.proto.
package struct InferenceProtobufReader {
    private let limits: ProtocolLimits
    private let memory: SharedMemory
    private let budget: ByteBudget

    /// What a message says before it is known whether its model is there.
    package struct Message: Sendable {
        package var model = ""
        package var version = ""
        package var id = ""
        package var parameters = RequestParameters()
        fileprivate var inputs: [Input] = []
        fileprivate var outputs: [Output] = []
        /// Where the raw contents lie in the message.
        fileprivate var raw: [Range<Int>] = []
        fileprivate var body: TensorBuffer
    }

    fileprivate struct Input: Sendable {
        var name = ""
        var dataType = ""
        var shape: [Int] = []
        var region = RegionParameters()
        var contents: Range<Int>?
    }

    fileprivate struct Output: Sendable {
        var name = ""
        var classCount = 0
        var region = RegionParameters()
    }

    /// The parameters of a tensor that speak of shared memory.
    fileprivate struct RegionParameters: Sendable {
        var name: String?
        var offset = 0
        var byteCount: Int?

        func reference() throws(HalcyonError) -> RegionReference? {
            guard let name else { return nil }
            guard let byteCount else {
                throw HalcyonError(
                    .invalidArgument, "shared memory region '\(name)' is given without 'shared_memory_byte_size'")
            }
            return RegionReference(name: name, offset: offset, byteCount: byteCount)
        }

        mutating func set(_ key: String, _ value: RequestParameters.Value) throws(HalcyonError) {
            switch (key, value) {
            case ("shared_memory_region", .string(let name)): self.name = name
            case ("shared_memory_offset", .integer(let number)) where number >= 0: offset = Int(number)
            case ("shared_memory_byte_size", .integer(let number)) where number >= 0: byteCount = Int(number)
            case ("shared_memory_offset", .unsigned(let number)): offset = Int(clamping: number)
            case ("shared_memory_byte_size", .unsigned(let number)): byteCount = Int(clamping: number)
            case ("shared_memory_region", _):
                throw HalcyonError(
                    .invalidArgument, "invalid value type for '\(key)' parameter, expected string_param.")
            case ("shared_memory_offset", _), ("shared_memory_byte_size", _):
                throw HalcyonError(
                    .invalidArgument,
                    "invalid value type for '\(key)' parameter, expected a non-negative int64_param.")
            default: break
            }
        }
    }

    /// - Parameter budget: what tensors count against that are copied out of a message.
    package init(limits: ProtocolLimits, memory: SharedMemory, budget: ByteBudget = .unlimited) {
        self.limits = limits
        self.memory = memory
        self.budget = budget
    }

    // MARK: The message

    /// - Throws: `internal` for what is no protobuf; `invalidArgument` for parameters of the wrong kind.
    package func read(_ body: TensorBuffer) throws(HalcyonError) -> Message {
        var message = Message(body: body)
        do {
            try body.withUnsafeBytes { bytes in try read(ProtobufReader(bytes[...]), into: &message) }
        } catch {
            throw HalcyonError(wrapping: error)
        }
        return message
    }

    private func read(_ reader: ProtobufReader, into message: inout Message) throws(HalcyonError) {
        var reader = reader
        var parameters = 0
        while let (field, value) = try reader.next() {
            switch field {
            case 1: message.model = try value.string("model_name")
            case 2: message.version = try value.string("model_version")
            case 3: message.id = try value.string("id")
            case 4:
                try ProtocolLimits.checkParameters(parameters)
                parameters += 1
                let (key, parameter) = try Self.parameter(try value.message())
                if let parameter { try message.parameters.set(key, parameter, from: .grpc) }
            case 5:
                try checkCount(message.inputs.count, limits.inputs, "inputs")
                message.inputs.append(try Self.input(try value.message()))
            case 6:
                try checkCount(message.outputs.count, limits.outputs, "outputs")
                message.outputs.append(try Self.output(try value.message()))
            case 7:
                try checkCount(message.raw.count, limits.inputs, "raw_input_contents")
                message.raw.append(try value.range())
            default: break
            }
        }
    }

    private func checkCount(_ count: Int, _ limit: Int, _ what: String) throws(HalcyonError) {
        guard count < limit else {
            throw HalcyonError(.invalidArgument, "a request may have at most \(limit) \(what)")
        }
    }

    private static func input(_ message: ProtobufReader) throws(HalcyonError) -> Input {
        var reader = message
        var input = Input()
        var parameters = 0
        while let (field, value) = try reader.next() {
            switch field {
            case 1: input.name = try value.string("name")
            case 2: input.dataType = try value.string("datatype")
            case 3:
                if case .varint(let number) = value {
                    try append(number, to: &input)
                } else {
                    var packed = try value.message()
                    while !packed.isAtEnd { try append(try packed.varint(), to: &input) }
                }
            case 4:
                try ProtocolLimits.checkParameters(parameters)
                parameters += 1
                let (key, parameter) = try Self.parameter(try value.message())
                if let parameter { try input.region.set(key, parameter) }
            case 5: input.contents = try value.range()
            default: break
            }
        }
        return input
    }

    private static func append(_ dimension: UInt64, to input: inout Input) throws(HalcyonError) {
        try ProtocolLimits.checkRank(input.shape.count + 1, of: input.name)
        input.shape.append(Int(Int64(bitPattern: dimension)))
    }

    private static func output(_ message: ProtobufReader) throws(HalcyonError) -> Output {
        var reader = message
        var output = Output()
        var parameters = 0
        while let (field, value) = try reader.next() {
            switch field {
            case 1: output.name = try value.string("name")
            case 2:
                try ProtocolLimits.checkParameters(parameters)
                parameters += 1
                let (key, parameter) = try Self.parameter(try value.message())
                guard let parameter else { continue }
                try output.region.set(key, parameter)
                if key == "classification" {
                    guard case .integer(let count) = parameter else {
                        throw HalcyonError(
                            .invalidArgument,
                            "invalid value type for 'classification' parameter, expected int64_param")
                    }
                    guard count > 0 else {
                        throw HalcyonError(
                            .invalidArgument,
                            "invalid value for 'classification' parameter, expected >= 0: output '\(output.name)' "
                                + "wants \(count) classes, and there is at least 1; leave the parameter out for the "
                                + "values")
                    }
                    output.classCount = Int(count)
                }
            default: break
            }
        }
        return output
    }

    /// An entry of a map of parameters; without a value where none is chosen.
    private static func parameter(
        _ entry: ProtobufReader
    ) throws(HalcyonError) -> (String, RequestParameters.Value?) {
        var reader = entry
        var key = ""
        var parameter: RequestParameters.Value?
        while let (field, value) = try reader.next() {
            switch field {
            case 1: key = try value.string("a parameter's name")
            case 2:
                var choice = try value.message()
                while let (field, value) = try choice.next() {
                    switch (field, value) {
                    case (1, .varint(let number)): parameter = .bool(number != 0)
                    case (2, .varint(let number)): parameter = .integer(Int64(bitPattern: number))
                    case (3, _):
                        parameter = .string(
                            try value.string("string_param", limit: ProtocolLimits.parameterLength))
                    case (4, .fixed64(let bits)): parameter = .number(Double(bitPattern: bits))
                    case (5, .varint(let number)): parameter = .unsigned(number)
                    default: break
                    }
                }
            default: break
            }
        }
        return (key, parameter)
    }

    // MARK: The call

    /// - Throws: `invalidArgument` for tensors without data, or data of the wrong kind; `notFound` for a region of
    ///   shared memory that nobody registered.
    package func call(_ message: Message) throws(HalcyonError) -> InferenceCall {
        let version = try Self.version(message.version)
        var raw = message.raw[...]
        var tensors: [Tensor] = []
        tensors.reserveCapacity(message.inputs.count)
        for input in message.inputs { tensors.append(try tensor(input, message, &raw)) }
        guard raw.isEmpty else {
            throw HalcyonError(
                .invalidArgument, "unexpected additional input data for model '\(message.model)'")
        }
        var outputs: [RequestedOutput] = []
        for output in message.outputs {
            var requested = RequestedOutput(name: output.name)
            requested.classCount = output.classCount
            requested.region = try output.region.reference()
            if let region = requested.region {
                try memory.checkAllowed()
                _ = try memory.buffer(region)
                guard requested.classCount == 0 else {
                    throw HalcyonError(
                        .invalidArgument,
                        "output '\(output.name)' can't have both classification and a shared memory region")
                }
            }
            outputs.append(requested)
        }
        var request = InferenceRequest(
            modelName: message.model, modelVersion: version, id: message.id, inputs: tensors,
            requestedOutputs: outputs.map(\.name), priority: message.parameters.priority,
            timeoutMicroseconds: message.parameters.timeoutMicroseconds)
        request.sequence = message.parameters.sequence
        request.parameters = message.parameters.forModel
        return InferenceCall(request: request, outputs: outputs)
    }

    /// The version that a text names; `nil` for the newest.
    package static func version(_ text: String) throws(HalcyonError) -> Int64? {
        guard !text.isEmpty, text != "-1" else { return nil }
        guard let version = Int64(text), version > 0 else {
            throw HalcyonError(
                .invalidArgument, "failed to get model version from specified version string '\(text.shortened())'")
        }
        return version
    }

    private func tensor(
        _ input: Input, _ message: Message, _ raw: inout ArraySlice<Range<Int>>
    ) throws(HalcyonError) -> Tensor {
        guard let elementType = ElementType(rawValue: input.dataType) else {
            throw HalcyonError(
                .invalidArgument,
                "invalid datatype '\(input.dataType.shortened())' of input '\(input.name.shortened())'"
                    + ElementType.advice(for: input.dataType))
        }
        let shape = TensorShape(input.shape)
        let data: TensorBuffer
        if let region = try input.region.reference() {
            try memory.checkAllowed()
            data = try memory.buffer(region)
        } else if !message.raw.isEmpty {
            guard input.contents == nil else {
                throw HalcyonError(
                    .invalidArgument,
                    "contents field must not be specified when using raw_input_contents for '\(input.name)' for model "
                        + "'\(message.model)'")
            }
            guard let range = raw.popFirst() else { throw Self.missingData(input, message) }
            data = try aligned(
                try message.body.slice(offset: range.lowerBound, byteCount: range.count), for: elementType)
        } else if let contents = input.contents {
            let reader = ProtobufContents(
                name: input.name, elementType: elementType, model: message.model, budget: budget)
            data = try reader.read(message.body, contents)
        } else {
            throw Self.missingData(input, message)
        }
        return Tensor(unchecked: input.name, elementType: elementType, shape: shape, data: data)
    }

    private static func missingData(_ input: Input, _ message: Message) -> HalcyonError {
        HalcyonError(
            .invalidArgument,
            "unable to find data for input tensor '\(input.name)' for model '\(message.model)' in request.")
    }

    /// Engines read elements by their type: bytes that lie across its boundaries are copied once more.
    private func aligned(_ buffer: TensorBuffer, for type: ElementType) throws(HalcyonError) -> TensorBuffer {
        guard let size = type.byteSize, Int(bitPattern: buffer.baseAddress) % size != 0 else { return buffer }
        let storage = try budget.allocate(byteCount: buffer.byteCount)
        try buffer.copy(to: storage.baseAddress)
        return TensorBuffer(storage)
    }
}
