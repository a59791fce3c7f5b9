/// What a model is told of one row of a batch, in the control tensors that its configuration asks for.
@usableFromInline
package struct SequenceControl: Hashable, Sendable {
    /// The row of a slot that has no request in the batch: not ready, and the rest means nothing.
    package static let notReady = SequenceControl(start: false, end: false, ready: false, correlation: .absent)

    package var start: Bool
    package var end: Bool
    package var ready: Bool
    package var correlation: CorrelationID

    package init(start: Bool, end: Bool, ready: Bool, correlation: CorrelationID) {
        self.start = start
        self.end = end
        self.ready = ready
        self.correlation = correlation
    }
}

extension SequenceControl {
    init(_ request: SequencedRequest) {
        self.init(start: request.start, end: request.end, ready: true, correlation: request.correlation)
    }
}
