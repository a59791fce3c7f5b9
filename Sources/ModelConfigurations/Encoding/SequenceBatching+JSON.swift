internal import JSONText
internal import Tensors

extension SequenceBatching {
    var jsonValue: JSONValue {
        let strategy: JSONValue.Member =
            switch self.strategy {
            case .direct(let delay, let utilization):
                .init(
                    "direct",
                    [
                        "max_queue_delay_microseconds": .count(delay.wholeMicroseconds),
                        "minimum_slot_utilization": .number(Double(utilization)),
                    ])
            case .oldest(let candidates, let sizes, let delay, let preservesOrdering):
                .init(
                    "oldest",
                    [
                        "max_candidate_sequences": .integer(Int64(candidates)),
                        "preferred_batch_size": .array(sizes.map { .integer(Int64($0)) }),
                        "max_queue_delay_microseconds": .count(delay.wholeMicroseconds),
                        "preserve_ordering": .bool(preservesOrdering),
                    ])
            }
        return .object([
            strategy, .init("max_sequence_idle_microseconds", .count(maxSequenceIdleMicroseconds)),
            .init("control_input", .array(controls.map(\.jsonValue))),
            .init("state", .array(states.map(\.jsonValue))), .init("iterative_sequence", .bool(isIterative)),
        ])
    }
}

extension SequenceBatching.Control {
    fileprivate var jsonValue: JSONValue {
        var members: [JSONValue.Member] = [.init("kind", .string(kind.rawValue))]
        switch elementType {
        case _ where kind == .correlationID: members.append(.init("data_type", .string(elementType.configurationName)))
        case .int32: members.append(.init("int32_false_true", .array(falseTrue.map { .integer(Int64($0)) })))
        case .bool: members.append(.init("bool_false_true", .array(falseTrue.map { .bool($0 != 0) })))
        default: members.append(.init("fp32_false_true", .array(falseTrue.map { .number(Double($0)) })))
        }
        return ["name": .string(inputName), "control": [.object(members)]]
    }
}

extension SequenceBatching.State {
    fileprivate var jsonValue: JSONValue {
        var members: [JSONValue.Member] = [
            .init("input_name", .string(inputName)), .init("output_name", .string(outputName)),
            .init("data_type", .string(elementType.configurationName)),
            .init("dims", .array(dimensions.dimensions.map { .integer(Int64($0)) })),
        ]
        if let initial {
            let data: JSONValue.Member =
                initial.file.map { .init("data_file", .string($0)) } ?? .init("zero_data", true)
            members.append(
                .init(
                    "initial_state",
                    [
                        .object([
                            .init("data_type", .string(elementType.configurationName)),
                            .init("dims", .array(initial.dimensions.dimensions.map { .integer(Int64($0)) })), data,
                            .init("name", .string(initial.name)),
                        ])
                    ]))
        }
        return .object(members)
    }
}
