/// Lets responses leave in the order in which their requests came (`preserve_ordering`).
///
/// Every sequence number from 0 must complete exactly once, with a response or with an error. Deliveries leave one at a
/// time: whoever gets one runs it, outside the lock, and asks for the next. Were two threads to run theirs side by
/// side, the later could overtake the earlier.
struct ResponseSequencer<Delivery> {
    private var next: UInt64 = 0
    private var waiting: [UInt64: Delivery] = [:]
    private var isDelivering = false

    /// Takes a finished request.
    ///
    /// - Returns: whether the caller is to deliver, with ``nextDelivery()`` until there is none; otherwise another
    ///   thread is at it and takes this one along.
    mutating func complete(_ sequence: UInt64, _ delivery: Delivery) -> Bool {
        waiting[sequence] = delivery
        guard !isDelivering, waiting[next] != nil else { return false }
        isDelivering = true
        return true
    }

    /// The delivery whose turn it is, or `nil` where the next in order is not done yet: then the deliverer is through.
    mutating func nextDelivery() -> Delivery? {
        guard let delivery = waiting.removeValue(forKey: next) else {
            isDelivering = false
            return nil
        }
        next &+= 1
        return delivery
    }
}
