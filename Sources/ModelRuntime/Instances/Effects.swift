internal import Logging
internal import Tensors

/// What comes of an event at a crew's machine: to be done when the lock is released, in this order.
struct Effects: Sendable {
    /// Requests that have ended without having been executed.
    struct Ending: Sendable {
        var requests: [TakenRequest]
        var error: HalcyonError
        var cause: StatisticsCollector.FailureCause
    }

    /// What the log is told.
    struct Note: Sendable {
        var level: Logger.Level
        var text: String
        var sequence: String
    }

    /// An instance whose worker has something to do; mostly there is one or none.
    private(set) var wake: Int?
    private(set) var furtherWakes: [Int] = []
    private(set) var notes: [Note] = []
    private(set) var endings: [Ending] = []
    /// When the machine wants to be told the time, where that is sooner than it was to be told so far. Nanoseconds.
    var expiry: UInt64?
    /// Whether the model is being stopped and nothing waits or runs any more.
    var isDrained = false

    mutating func wake(_ instance: Int?) {
        guard let instance else { return }
        if wake == nil { wake = instance } else { furtherWakes.append(instance) }
    }

    mutating func end(_ requests: [TakenRequest], _ error: HalcyonError, _ cause: StatisticsCollector.FailureCause) {
        if !requests.isEmpty { endings.append(Ending(requests: requests, error: error, cause: cause)) }
    }

    mutating func note(_ level: Logger.Level, _ text: String, sequence: String) {
        notes.append(Note(level: level, text: text, sequence: sequence))
    }
}
