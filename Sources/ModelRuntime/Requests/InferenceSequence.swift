/// A request's place in a sequence: requests that belong together and reach a model that keeps a state.
public struct InferenceSequence: Hashable, Sendable {
    /// By what the requests of a sequence are told from others: the correlation id.
    public enum ID: Hashable, Sendable {
        /// Not 0.
        case number(UInt64)
        /// Not empty.
        case text(String)
    }

    /// The same for all requests of the sequence.
    public var id: ID
    /// Whether it is the first request of its sequence.
    public var isStart: Bool
    /// Whether it is the last.
    public var isEnd: Bool

    /// A request in the middle of a sequence, unless the arguments say otherwise.
    public init(id: ID, isStart: Bool = false, isEnd: Bool = false) {
        self.id = id
        self.isStart = isStart
        self.isEnd = isEnd
    }
}

extension InferenceSequence {
    /// As an ensemble says it in its responses.
    var parameters: [InferenceParameter] {
        let id: InferenceParameter.Value =
            switch id {
            case .number(let number): Int64(exactly: number).map { .integer($0) } ?? .unsigned(number)
            case .text(let text): .string(text)
            }
        return [
            InferenceParameter("sequence_id", id), InferenceParameter("sequence_start", .bool(isStart)),
            InferenceParameter("sequence_end", .bool(isEnd)),
        ]
    }
}
