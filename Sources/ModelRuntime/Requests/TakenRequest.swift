/// A request that has left its queue: to be executed, or to end with an error.
struct TakenRequest: Sendable {
    let request: PendingRequest
    /// `nil` where its answer leaves whenever it is there.
    let turn: ResponseTurn?
}

/// The place of an answer among those that leave in order.
struct ResponseTurn: Hashable, Sendable {
    /// Answers of different lanes do not wait for each other.
    var lane: Int
    /// From 0 and without a gap.
    var number: UInt64
}
