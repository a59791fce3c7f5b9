internal import Halcyon

/// Which inputs the next request has, and which place in a sequence.
struct RequestCursor {
    struct Next: Hashable {
        /// The number of the step among all.
        var step: Int
        var sequence: InferenceSequence?
    }

    /// For each stream the number of its first step, and how many it has.
    private let streams: [Range<Int>]
    private let length: Int
    private var stream: Int
    private var position = 0
    private var id: UInt64
    private let idStep: UInt64

    /// - Parameters:
    ///   - lane: the number of the one that makes requests, so that all begin elsewhere and no two have a sequence's
    ///     number.
    ///   - lanes: how many there are.
    init(_ form: RequestForm, lane: Int, of lanes: Int, firstID: UInt64) {
        var start = 0
        var streams: [Range<Int>] = []
        for steps in form.data.streams {
            streams.append(start..<start + steps.count)
            start += steps.count
        }
        length = form.sequenceLength
        // Without sequences it does not matter which stream a step is of.
        self.streams = length == 0 ? [0..<start] : streams
        stream = length == 0 ? 0 : lane % max(1, streams.count)
        position = length == 0 ? lane % max(1, start) : 0
        id = firstID &+ UInt64(lane)
        idStep = UInt64(max(1, lanes))
    }

    /// Whether a sequence has begun and not ended.
    var isInSequence: Bool { length > 0 && position > 0 }

    /// - Parameter isLast: whether a sequence is to end here, however long it is.
    mutating func next(isLast: Bool = false) -> Next {
        let steps = streams[stream]
        let step = steps.lowerBound + position % steps.count
        guard length > 0 else {
            position = (position + 1) % steps.count
            return Next(step: step)
        }
        let sequence = InferenceSequence(
            id: .number(id), isStart: position == 0, isEnd: isLast || position == length - 1)
        position += 1
        if sequence.isEnd { begin() }
        return Next(step: step, sequence: sequence)
    }

    /// Begins another sequence.
    mutating func begin() {
        position = 0
        id &+= idStep
        stream = (stream + 1) % streams.count
    }
}
