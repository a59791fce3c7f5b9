internal import ModelRuntime
internal import Tensors

/// What a C program has said of a request so far.
struct RequestFields: Sendable {
    enum Correlation: Hashable, Sendable {
        /// 0 for none.
        case number(UInt64)
        /// Empty for none.
        case text(String)
    }

    var id = ""
    /// The bits of `TRITONSERVER_RequestFlag`.
    var flags: UInt32 = 0
    var correlation = Correlation.number(0)
    /// 0 for the model's default.
    var priority: UInt64 = 0
    /// 0 for the model's default.
    var timeoutMicroseconds: UInt64 = 0
    private(set) var inputs: [RequestInput] = []
    /// Empty for all.
    var requestedOutputs: [String] = []
    private(set) var parameters: [InferenceParameter] = []

    static let startsSequence: UInt32 = 1
    static let endsSequence: UInt32 = 2

    /// - Throws: `invalidArgument` for an unknown flag.
    mutating func set(flags: UInt32) throws(HalcyonError) {
        guard flags & ~(Self.startsSequence | Self.endsSequence) == 0 else {
            throw HalcyonError(
                .invalidArgument, "there are no request flags \(flags), expected 1 (start), 2 (end), or both")
        }
        self.flags = flags
    }

    /// Replaces a value of that name.
    ///
    /// - Throws: `invalidArgument` for an empty name, or one that Triton keeps for itself.
    mutating func set(_ name: String, _ value: InferenceParameter.Value) throws(HalcyonError) {
        guard !name.isEmpty else { throw HalcyonError(.invalidArgument, "a parameter has no name") }
        if let index = parameters.firstIndex(where: { $0.name == name }) {
            parameters[index].value = value
        } else {
            parameters.append(InferenceParameter(name, value))
        }
    }

    // MARK: Inputs

    /// - Throws: `invalidArgument` where there is an input of that name, or a raw one.
    mutating func add(_ input: RequestInput) throws(HalcyonError) {
        guard !inputs.contains(where: { $0.name == input.name }) else {
            throw HalcyonError(.invalidArgument, "input '\(input.name)' already exists in request")
        }
        guard inputs.isEmpty || input.interface != nil && inputs.allSatisfy({ $0.interface != nil }) else {
            throw HalcyonError(
                .invalidArgument,
                "raw input '\(input.name)' can't be added: a request with a raw input has no other input")
        }
        inputs.append(input)
    }

    mutating func removeInput(_ name: String) throws(HalcyonError) { inputs.remove(at: try index(of: name)) }

    mutating func removeAllInputs() { inputs = [] }

    /// - Parameter policy: a host policy, whose instances alone get the bytes; `nil` for all.
    mutating func append(_ piece: RequestInput.Piece, to name: String, policy: String?) throws(HalcyonError) {
        let index = try index(of: name)
        guard piece.base != nil || piece.byteCount == 0 else {
            throw HalcyonError(
                .invalidArgument, "'base' is NULL, expected \(piece.byteCount) bytes for input '\(name)'")
        }
        if let policy {
            inputs[index].piecesByPolicy[policy, default: []].append(piece)
        } else {
            inputs[index].pieces.append(piece)
        }
    }

    mutating func removeData(of name: String) throws(HalcyonError) {
        let index = try index(of: name)
        inputs[index].pieces = []
        inputs[index].piecesByPolicy = [:]
    }

    private func index(of name: String) throws(HalcyonError) -> Int {
        guard let index = inputs.firstIndex(where: { $0.name == name }) else {
            let names = inputs.map { "'\($0.name)'" }.joined(separator: ", ")
            throw HalcyonError(
                .invalidArgument,
                "input '\(name)' does not exist in request\(names.isEmpty ? ", which has none" : ": it has \(names)")")
        }
        return index
    }

    // MARK: The request

    /// The request as the engine takes it.
    ///
    /// - Parameters:
    ///   - version: `nil` for whichever the model's policy says.
    ///   - facts: what is known of the model, asked where there is a raw input.
    ///   - lease: kept as long as bytes of the program's are referred to.
    func request(
        of model: String, version: Int64?, lease: InputLease, facts: () throws(HalcyonError) -> ModelFacts
    ) throws(HalcyonError) -> InferenceRequest {
        var tensors: [Tensor] = []
        tensors.reserveCapacity(inputs.count)
        for input in inputs {
            let data = try input.data(lease, model: model)
            guard let interface = input.interface else {
                let facts = try facts()
                let raw = RawInput(model: facts.name, inputs: facts.inputs, maxBatchSize: facts.maxBatchSize)
                tensors.append(try raw.tensor(data))
                continue
            }
            tensors.append(
                Tensor(unchecked: input.name, elementType: interface.type, shape: interface.shape, data: data))
        }
        var request = InferenceRequest(
            modelName: model, modelVersion: version, id: id, inputs: tensors, requestedOutputs: requestedOutputs,
            priority: Int(clamping: priority), timeoutMicroseconds: timeoutMicroseconds)
        request.sequence = sequence
        request.parameters = parameters
        request.nameWithoutID = "<id_unknown>"
        return request
    }

    private var sequence: InferenceSequence? {
        let id: InferenceSequence.ID
        switch correlation {
        case .number(0), .text(""): return nil
        case .number(let number): id = .number(number)
        case .text(let text): id = .text(text)
        }
        return InferenceSequence(
            id: id, isStart: flags & Self.startsSequence != 0, isEnd: flags & Self.endsSequence != 0)
    }
}
