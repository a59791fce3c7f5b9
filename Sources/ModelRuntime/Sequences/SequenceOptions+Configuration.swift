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
    }
}

extension SequenceBatching {
    /// Whether the answers of an instance leave in the order of the requests' turns.
    var preservesOrdering: Bool {
        if case .oldest(_, _, _, let preservesOrdering) = strategy { preservesOrdering } else { false }
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
