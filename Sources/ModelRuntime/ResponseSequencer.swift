/// Lets responses leave in the order in which their requests came (`preserve_ordering`).
///
/// Every sequence number from 0 must complete exactly once, with a response or with an error.
struct ResponseSequencer<Delivery> {
    private var next: UInt64 = 0
    private var waiting: [UInt64: Delivery] = [:]

    /// Takes a finished request and returns the deliveries that may leave now, in order.
    mutating func complete(_ sequence: UInt64, _ delivery: Delivery) -> [Delivery] {
        waiting[sequence] = delivery
        var ready: [Delivery] = []
        while let delivery = waiting.removeValue(forKey: next) {
            ready.append(delivery)
            next &+= 1
        }
        return ready
    }
}
