internal import ModelConfigurations
internal import Scheduling
internal import Tensors
internal import Threads

/// The way of one batch of a model with sequences: rows, controls and states → execute → responses and new states.
struct SequenceExecution: Sendable {
    /// What an instance remembers for each slot, by the state's input.
    typealias States = [Int: [String: Tensor]]
    /// Rows with the requests themselves.
    typealias Rows = SequenceBatch<TakenRequest>

    private let configuration: ModelConfiguration
    private let sequences: SequenceBatching
    /// Whether a model may put requests back.
    var isIterative: Bool { sequences.isIterative }
    private let version: Int64
    private let clock: any MonotonicClock
    /// Whether a process that ends takes the states of sequences along: they are the engine's.
    let losesStates: Bool
    private let gather: Gather
    let scatter: Scatter
    private let controls: ControlTensors
    /// What sequences begin with, by the state's input; with a batch of one, where the model batches.
    private let initial: [String: Tensor]
    /// What one sequence begins with, in bytes.
    let stateByteCount: Int
    /// What a sequence may begin with, in bytes: a configuration can name any size, and what it names must not be the
    /// end of the process.
    private static let stateByteLimit = 1 << 30
    private var batches: Bool { configuration.maxBatchSize > 0 }

    /// - Parameter initial: the contents of the files of initial states, by the state's input.
    /// - Throws: `invalidArgument` for a file whose size does not fit.
    init(
        _ parts: ModelExecutor.Parts, _ sequences: SequenceBatching, initial files: [String: [UInt8]]
    ) throws(HalcyonError) {
        let configuration = parts.configuration
        self.configuration = configuration
        self.sequences = sequences
        version = parts.version
        clock = parts.environment.clock
        losesStates = parts.model is any WorkerModel && sequences.states.isEmpty
        let inputCount = configuration.inputs.count + sequences.states.count
        gather = Gather(
            buffers: BatchBuffers(
                retained: parts.instances.count * max(1, inputCount),
                memory: (parts.model as? any WorkerModel)?.batchMemory))
        scatter = Scatter(configuration, log: parts.environment.log)
        controls = ControlTensors(
            controls: sequences.controls, hasBatchDimension: configuration.maxBatchSize > 0)
        var initial: [String: Tensor] = [:]
        var total = 0
        for state in sequences.states {
            do {
                let shape = Self.initialShape(of: state, configuration)
                let byteCount = try Self.byteCount(state.elementType, shape)
                guard byteCount <= Self.stateByteLimit - total else {
                    throw HalcyonError(
                        .invalidArgument,
                        "its shape \(shape) takes \(byteCount) bytes, and the states of a sequence may begin with "
                            + "\(Self.stateByteLimit) together")
                }
                total += byteCount
                initial[state.inputName] = try Tensor(
                    name: state.inputName, elementType: state.elementType, shape: shape,
                    data: try Self.contents(files[state.inputName], of: state, shape, byteCount: byteCount))
            } catch {
                throw HalcyonError(wrapping: error).prefixed(
                    "model '\(configuration.name)', the initial state of '\(state.inputName)': ")
            }
        }
        self.initial = initial
        stateByteCount = total
    }

    private static func initialShape(of state: SequenceBatching.State, _ configuration: ModelConfiguration)
        -> TensorShape
    {
        let dimensions = state.initialDimensions
        return configuration.maxBatchSize > 0 ? dimensions.prepending(1) : dimensions
    }

    /// What a sequence begins with: a file's bytes, of which there may be more than it takes, or zeros.
    private static func contents(
        _ file: [UInt8]?, of state: SequenceBatching.State, _ shape: TensorShape, byteCount: Int
    ) throws(HalcyonError) -> TensorBuffer {
        guard let file else { return .zeros(byteCount: byteCount) }
        let whole = TensorBuffer(copying: file)
        guard state.elementType == .bytes else {
            guard byteCount <= file.count else {
                throw HalcyonError(
                    .invalidArgument,
                    "its file has \(file.count) bytes, and \(state.elementType.rawValue) of \(shape) takes \(byteCount)"
                )
            }
            return try whole.slice(offset: 0, byteCount: byteCount)
        }
        let texts = try Tensor(name: state.inputName, elementType: .bytes, shape: shape, data: whole)
        let end = try BytesElements.offset(after: try shape.elementCount(), from: 0, in: texts)
        return try whole.slice(offset: 0, byteCount: end)
    }

    /// The bytes of a tensor of zeros, and of empty texts.
    private static func byteCount(_ type: ElementType, _ shape: TensorShape) throws(HalcyonError) -> Int {
        // An element of text is at least its length, which is 0.
        let (byteCount, overflow) = try shape.elementCount().multipliedReportingOverflow(by: type.byteSize ?? 4)
        guard !overflow else {
            throw HalcyonError(.invalidArgument, "a tensor of shape \(shape) does not fit into memory")
        }
        return byteCount
    }

    /// Whether the model can be told of that sequence. One that is none is for others to complain of.
    ///
    /// - Throws: `invalidArgument` where not.
    func check(_ correlation: CorrelationID) throws(HalcyonError) {
        if !correlation.isAbsent { try controls.check(correlation) }
    }

    /// Runs a batch whose states are alike.
    func run(_ batch: Rows, on member: CrewMember, states: inout States) -> ExecutionOutcome {
        let start = clock.now()
        var stages = StatisticsCollector.Stages(start: start, inferenceStart: start, inferenceEnd: start, end: start)
        do throws(HalcyonError) {
            let inputs = try inputs(of: batch, states)
            var execution = ExecutionBatch(
                inputs: inputs, batchSize: batch.rows.count, requestedOutputs: nil, clock: clock)
            stages.inferenceStart = clock.now()
            let outputs: [Tensor]
            do {
                outputs = try member.instance.execute(&execution)
            } catch {
                throw HalcyonError(wrapping: error)
            }
            stages.inferenceEnd = clock.now()
            try scatter.check(
                outputs, batchSize: batch.rows.count, requests: batch.rows.count, requested: nil,
                instance: member.identity.name)
            try remember(outputs, of: batch, in: &states, instance: member.identity.name)
            let responses = try responses(to: batch, outputs)
            stages.end = clock.now()
            return ExecutionOutcome(responses: .success(responses), stages: stages)
        } catch {
            return ExecutionOutcome(responses: .failure(error), stages: stages)
        }
    }

    /// Executes a batch of that many new sequences, each with the same item; nobody wants the outputs, nor the states.
    ///
    /// - Parameter item: what a request brings, and those of the controls and states that are not to be the usual ones.
    /// - Returns: an output whose first dimension is not the batch, although the model batches.
    func warmUp(_ item: [Tensor], batchSize: Int, on member: CrewMember) throws(HalcyonError) -> String? {
        let given = Set(item.map(\.name))
        let row = item + sequences.states.compactMap { given.contains($0.inputName) ? nil : initial[$0.inputName] }
        let control = SequenceControl(start: true, end: true, ready: true, correlation: .absent)
        let inputs =
            try gather.inputs(of: Array(repeating: row, count: batchSize))
            + controls.tensors(Array(repeating: control, count: batchSize)).filter { !given.contains($0.name) }
        var execution = ExecutionBatch(
            inputs: inputs, batchSize: batchSize, requestedOutputs: nil, clock: clock, isWarmUp: true)
        do {
            let outputs = try member.instance.execute(&execution)
            return try scatter.check(
                outputs, batchSize: batchSize, requests: 1, requested: nil, instance: member.identity.name)
        } catch {
            throw HalcyonError(wrapping: error)
        }
    }

    /// Ends the warm-up: frees the buffers of batches that may have been larger than any that follows.
    func warmedUp() { gather.reset() }

    // MARK: In

    /// The rows of a batch are alike, and states of open sizes may have become different from sequence to sequence:
    /// what can run together.
    func parts(of batch: Rows, _ states: States) -> [Rows] {
        guard batch.rows.count > 1, sequences.states.contains(where: { $0.dimensions.isVariable }) else {
            return [batch]
        }
        var shapes: [[TensorShape]] = []
        for row in batch.rows where row.request != nil {
            let own = stateTensors(of: row, states).map(\.shape)
            if !shapes.contains(own) { shapes.append(own) }
        }
        guard shapes.count > 1 else { return [batch] }
        return shapes.map { shape in
            var part = batch
            for index in part.rows.indices
            where stateTensors(of: part.rows[index], states).map(\.shape) != shape {
                part.rows[index].request = nil
                part.rows[index].control = .notReady
            }
            if keepsRows {
                while part.rows.last?.request == nil { part.rows.removeLast() }
            } else {
                part.rows.removeAll { $0.request == nil }
            }
            return part
        }
    }

    /// Whether each sequence keeps its row.
    private var keepsRows: Bool { if case .direct = sequences.strategy { true } else { false } }

    private func stateTensors(of row: Rows.Row, _ states: States) -> [Tensor] {
        sequences.states.compactMap { state in
            (row.control.start ? nil : states[row.slot]?[state.inputName]) ?? initial[state.inputName]
        }
    }

    /// What each row has beside its request's own inputs: the states, and the controls.
    func furtherInputs(of batch: Rows, _ states: States) throws(HalcyonError) -> [[Tensor]] {
        var further: [[Tensor]] = []
        for row in batch.rows {
            further.append(stateTensors(of: row, states) + (try controls.tensors([row.control])))
        }
        return further
    }

    /// Keeps what an instance said for the next request of a row's sequence.
    func remember(_ kept: [String: Tensor], of row: Rows.Row, in states: inout States) {
        for state in sequences.states {
            guard var next = kept[state.outputName] else { continue }
            next.name = state.inputName
            states[row.slot, default: [:]][state.inputName] = next
        }
        if row.control.ready && row.control.end { states[row.slot] = nil }
    }

    private func inputs(of batch: Rows, _ states: States) throws(HalcyonError) -> [Tensor] {
        guard let first = batch.rows.first(where: { $0.request != nil }),
            let request = first.request?.request
        else { throw HalcyonError(.internal, "a batch of sequences has no request") }
        let template = request.inputs + stateTensors(of: first, states)
        var rows: [[Tensor]] = []
        for row in batch.rows {
            if let request = row.request?.request {
                rows.append(request.inputs + stateTensors(of: row, states))
            } else {
                rows.append(try Self.empty(like: template))
            }
        }
        return try gather.inputs(of: rows) + controls.tensors(batch.rows.map(\.control))
    }

    /// A row without a request.
    private static func empty(like template: [Tensor]) throws(HalcyonError) -> [Tensor] {
        var inputs: [Tensor] = []
        for input in template {
            inputs.append(
                try Tensor(
                    name: input.name, elementType: input.elementType, shape: input.shape,
                    data: .zeros(byteCount: try byteCount(input.elementType, input.shape))))
        }
        return inputs
    }

    // MARK: Out

    private func remember(
        _ outputs: [Tensor], of batch: Rows, in states: inout States, instance: String
    ) throws(HalcyonError) {
        for state in sequences.states {
            guard let output = outputs.first(where: { $0.name == state.outputName }) else {
                throw HalcyonError(
                    .internal,
                    "instance '\(instance)' of model '\(configuration.name)' returned no state "
                        + "'\(state.outputName)'")
            }
            let expected = batches ? state.dimensions.prepending(batch.rows.count) : state.dimensions
            guard output.elementType == state.elementType, expected.accepts(output.shape) else {
                throw HalcyonError(
                    .internal,
                    "instance '\(instance)' of model '\(configuration.name)' returned the state "
                        + "'\(state.outputName)' as \(output.elementType.rawValue) of shape \(output.shape), expected "
                        + "\(state.elementType.rawValue) of \(expected)")
            }
            for (index, row) in batch.rows.enumerated() where row.request != nil {
                var next = batches ? try scatter.slice(output, row: index, rows: 1) : output
                next.name = state.inputName
                // Memory of its own: the engine's is needed again.
                next.data = next.data.withUnsafeBytes { TensorBuffer(copying: $0) }
                states[row.slot, default: [:]][state.inputName] = next
            }
        }
        for row in batch.rows where row.control.ready && row.control.end { states[row.slot] = nil }
    }

    private func responses(
        to batch: Rows, _ outputs: [Tensor]
    ) throws(HalcyonError) -> [InferenceResponse] {
        var responses: [InferenceResponse] = []
        for (index, row) in batch.rows.enumerated() {
            guard let request = row.request?.request else { continue }
            let own = try scatter.outputs(
                outputs, names: request.requestedOutputs, row: index, rows: 1,
                isWhole: !batches || batch.rows.count == 1)
            responses.append(
                InferenceResponse(
                    modelName: configuration.name, modelVersion: version, id: request.id, outputs: own))
        }
        return responses
    }
}
