internal import ModelConfigurations
internal import Scheduling
internal import Tensors

extension SequenceOptions {
    init(_ configuration: ModelConfiguration, _ sequences: SequenceBatching, instanceCount: Int) {
        let strategy: Strategy =
            switch sequences.strategy {
            case .direct(let delay, let utilization):
                .direct(delayMicroseconds: delay.wholeMicroseconds, minimumSlotUtilization: utilization)
            case .oldest(let candidates, let sizes, let delay, let preservesOrdering):
                .oldest(
                    maxCandidateSequences: candidates, preferredBatchSizes: sizes,
                    maxQueueDelayMicroseconds: delay.wholeMicroseconds, preserveOrdering: preservesOrdering)
            }
        self.init(
            modelName: configuration.name, strategy: strategy, maxBatchSize: configuration.maxBatchSize,
            instanceCount: instanceCount,
            idleTimeout: .microseconds(sequences.maxSequenceIdleMicroseconds),
            keepsStates: !sequences.states.isEmpty)
        isIterative = sequences.isIterative
        namesByText = sequences.controls.contains { $0.kind == .correlationID && $0.elementType == .bytes }
        firstFreshNumber = sequences.firstFreshNumber
    }
}

extension SequenceBatching {
    /// The upper half of the numbers that the model can be told of begins there, without a sign.
    fileprivate var firstFreshNumber: UInt64 {
        switch controls.first(where: { $0.kind == .correlationID })?.elementType {
        case .int32?: 1 << 30
        case .uint32?: 1 << 31
        case .int64?: 1 << 62
        default: 1 << 63
        }
    }

    /// Whether the answers of an instance leave in the order of the requests' turns. Iterative ones leave when they are
    /// there.
    var preservesOrdering: Bool {
        if isIterative { return false }
        if case .oldest(_, _, _, let preservesOrdering) = strategy { return preservesOrdering }
        return false
    }
}

extension CorrelationID {
    init(_ sequence: InferenceSequence?) {
        switch sequence?.id {
        case .number(let number): self = .number(number)
        case .text(let text): self = .text(text)
        case nil: self = .absent
        }
    }
}
