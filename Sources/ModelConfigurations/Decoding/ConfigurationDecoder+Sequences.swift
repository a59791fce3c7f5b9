internal import Tensors

extension ConfigurationDecoder {
    mutating func sequenceBatching(_ message: ConfigurationMessage, maxBatchSize: Int) -> SequenceBatching? {
        guard let batching = message.message("sequence_batching") else { return nil }
        var sequences = SequenceBatching(strategy: strategy(batching, maxBatchSize: maxBatchSize))
        sequences.maxSequenceIdleMicroseconds = batching.unsigned("max_sequence_idle_microseconds")
        sequences.isIterative = batching.bool("iterative_sequence")
        for (index, node) in batching.nodes("control_input").enumerated() {
            guard case .message(let input) = node.value else { continue }
            sequences.controls += controls(input, "sequence_batching.control_input[\(index)]")
        }
        for kind in SequenceBatching.Control.Kind.allCases {
            let inputs = sequences.controls.filter { $0.kind == kind }.map { "'\($0.inputName)'" }
            if inputs.count > 1 {
                diagnostics.error(
                    "sequence batching specifies multiple \(kind.rawValue) tensors for \(modelName)",
                    at: batching.position, "sequence_batching.control_input", hint: inputs.joined(separator: ", "))
            }
        }
        for (index, node) in batching.nodes("state").enumerated() {
            guard case .message(let state) = node.value else { continue }
            if let state = self.state(state, "sequence_batching.state[\(index)]") { sequences.states.append(state) }
        }
        return sequences
    }

    private mutating func strategy(
        _ message: ConfigurationMessage, maxBatchSize: Int
    ) -> SequenceBatching.Strategy {
        guard let oldest = message.message("oldest") else {
            let direct = message.message("direct")
            var utilization: Float = 0
            if case .number(let value)? = direct?.node("minimum_slot_utilization")?.value { utilization = Float(value) }
            if !(0...1).contains(utilization) {
                diagnostics.error(
                    "sequence batching minimum slot utilization must be in range (0.0, 1.0] for \(modelName)",
                    at: direct?.position(of: "minimum_slot_utilization") ?? message.position,
                    "sequence_batching.direct.minimum_slot_utilization", hint: "got \(utilization)")
            }
            return .direct(
                maxQueueDelay: Duration(microseconds: direct?.unsigned("max_queue_delay_microseconds") ?? 0),
                minimumSlotUtilization: utilization)
        }
        let sizes = oldest.nodes("preferred_batch_size").map { Int(clamping: $0.value.integer) }
        for (index, size) in sizes.enumerated() where size < 1 || size > max(1, maxBatchSize) {
            diagnostics.error(
                "sequence batching preferred batch size must be \(size < 1 ? "positive" : "<= max batch size") for "
                    + "\(modelName)",
                at: oldest.nodes("preferred_batch_size")[index].position,
                "sequence_batching.oldest.preferred_batch_size[\(index)]",
                hint: "got \(size), and max_batch_size is \(maxBatchSize)")
        }
        return .oldest(
            maxCandidateSequences: max(0, Int(clamping: oldest.integer("max_candidate_sequences"))),
            preferredBatchSizes: sizes,
            maxQueueDelay: Duration(microseconds: oldest.unsigned("max_queue_delay_microseconds")),
            preserveOrdering: oldest.bool("preserve_ordering"))
    }

    private mutating func controls(_ message: ConfigurationMessage, _ path: String) -> [SequenceBatching.Control] {
        let name = message.string("name")
        if name.isEmpty {
            diagnostics.error(
                "sequence batching control tensor must have a name for \(modelName)", at: message.position,
                "\(path).name")
        }
        return message.nodes("control").enumerated().compactMap { index, node in
            guard case .message(let control) = node.value else { return nil }
            return self.control(control, inputName: name, "\(path).control[\(index)]")
        }
    }

    private mutating func control(
        _ message: ConfigurationMessage, inputName: String, _ path: String
    ) -> SequenceBatching.Control? {
        // The first of an enumeration is what a message means that does not say.
        let kind = SequenceBatching.Control.Kind(rawValue: message.string("kind")) ?? .start
        if kind == .correlationID {
            let type = ElementType(configurationName: message.string("data_type"))
            let possible: [ElementType] = [.int32, .uint32, .int64, .uint64, .bytes]
            guard let type, possible.contains(type) else {
                diagnostics.error(
                    "unexpected data type for control CONTROL_SEQUENCE_CORRID for \(modelName). Allowed data types are "
                        + "TYPE_UINT64, TYPE_INT64, TYPE_UINT32, TYPE_INT32 and TYPE_STRING",
                    at: message.position(of: "data_type"), "\(path).data_type", hint: "of input '\(inputName)'")
                return nil
            }
            return SequenceBatching.Control(inputName: inputName, kind: kind, elementType: type)
        }
        let fields: [(name: String, type: ElementType)] = [
            ("int32_false_true", .int32), ("fp32_false_true", .fp32), ("bool_false_true", .bool),
        ]
        let given = fields.filter { !message.nodes($0.name).isEmpty }
        guard given.count == 1, let field = given.first, message.nodes(field.name).count == 2 else {
            let what =
                switch given.count {
                case 0: "must specify either 'int32_false_true', 'fp32_false_true' or 'bool_false_true'"
                case 1: "control '\(given[0].name)' must have exactly 2 entries"
                default: "specifies more than one from 'int32_false_true', 'fp32_false_true' and 'bool_false_true'"
                }
            diagnostics.error(
                "sequence batching \(what) for \(kind.rawValue) for \(modelName)", at: message.position, path,
                hint: "of input '\(inputName)'")
            return nil
        }
        let values = message.nodes(field.name).map { node -> Float in
            switch node.value {
            case .bool(let flag): flag ? 1 : 0
            case .number(let number): Float(number)
            default: Float(node.value.integer)
            }
        }
        return SequenceBatching.Control(inputName: inputName, kind: kind, elementType: field.type, falseTrue: values)
    }

    private mutating func state(_ message: ConfigurationMessage, _ path: String) -> SequenceBatching.State? {
        for field in ["input_name", "output_name"] where message.string(field).isEmpty {
            diagnostics.error(
                "sequence batching state must have '\(field)' for \(modelName)", at: message.position,
                "\(path).\(field)")
        }
        guard let type = ElementType(configurationName: message.string("data_type")) else {
            diagnostics.error(
                "sequence batching state must specify 'data_type' for \(modelName)",
                at: message.position(of: "data_type"), "\(path).data_type")
            return nil
        }
        let dimensions = TensorShape(message.nodes("dims").map { Int(clamping: $0.value.integer) })
        var state = SequenceBatching.State(
            inputName: message.string("input_name"), outputName: message.string("output_name"), elementType: type,
            dimensions: dimensions)
        let initials = message.nodes("initial_state")
        if initials.count > 1 {
            diagnostics.error(
                "initial_state field for state input '\(state.inputName)' must contain exactly one or zero element. "
                    + "Found '\(initials.count)' elements. for \(modelName)", at: message.position,
                "\(path).initial_state")
        }
        if case .message(let initial)? = initials.first?.value {
            state.initial = self.initial(initial, of: state, "\(path).initial_state[0]")
        }
        return state
    }

    private mutating func initial(
        _ message: ConfigurationMessage, of state: SequenceBatching.State, _ path: String
    ) -> SequenceBatching.Initial {
        let dimensions = TensorShape(message.nodes("dims").map { Int(clamping: $0.value.integer) })
        if dimensions.isVariable || !state.dimensions.accepts(dimensions) {
            let what =
                if dimensions.rank != state.dimensions.rank {
                    "Number of dimensions in 'initial_state' doesn't match the size of 'state' dimensions for state "
                        + "input '\(state.inputName)'. \(dimensions.rank) != \(state.dimensions.rank)"
                } else if dimensions.isVariable {
                    "'initial_state' field for state input name '\(state.inputName)' contains variable dimensions."
                } else {
                    "'initial_state' dim for input name '\(state.inputName)' doesn't match 'state' dim description. "
                        + "\(dimensions) != \(state.dimensions)"
                }
            diagnostics.error(
                "\(what) for \(modelName)", at: message.position(of: "dims"), "\(path).dims")
        }
        if ElementType(configurationName: message.string("data_type")) != state.elementType {
            diagnostics.error(
                "The data type used for 'initial_state' field of state '\(state.inputName)' does not match the state "
                    + "data type. for \(modelName)",
                at: message.position(of: "data_type"), "\(path).data_type")
        }
        let file = message.string("data_file")
        if file.split(separator: "/", omittingEmptySubsequences: false).contains("..") || file.hasPrefix("/")
            || file.contains("\0")
        {
            diagnostics.error(
                "the file '\(file)' leads out of the folder 'initial_state'", at: message.position(of: "data_file"),
                "\(path).data_file")
        }
        return SequenceBatching.Initial(
            name: message.string("name"), dimensions: dimensions, file: file.isEmpty ? nil : file)
    }
}
