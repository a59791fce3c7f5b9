internal import Tensors
internal import Threads

extension HandedRequest {
    /// How far its answers have come: of all the times that it is handed over.
    struct Answers {
        var responses = 0
        var lastTime: UInt64
        /// When it came into the queue for the last time, in nanoseconds of the clock.
        var enqueued: UInt64 = 0
        private(set) var hasEnded = false
        private(set) var error: HalcyonError?
        /// Whether it is counted how it ended.
        private(set) var isCounted = false
        /// What the caller is yet to be told, in order.
        var untold: [@Sendable () -> Void] = []
        private var isTelling = false

        init(lastTime: UInt64, enqueued: UInt64 = 0) {
            self.lastTime = lastTime
            self.enqueued = enqueued
        }

        /// Whoever ends the request asks this first.
        ///
        /// - Returns: whether it had not ended.
        mutating func end(_ error: HalcyonError?) -> Bool {
            guard !hasEnded else { return false }
            hasEnded = true
            self.error = error
            return true
        }

        /// - Returns: whether it was not counted.
        mutating func markCounted() -> Bool {
            defer { isCounted = true }
            return !isCounted
        }

        /// - Returns: whether nobody tells the caller anything at this moment: whoever asked does it now.
        fileprivate mutating func beginTelling() -> Bool {
            defer { isTelling = true }
            return !isTelling
        }

        /// What comes next; where nothing does, nobody tells the caller anything any more.
        fileprivate mutating func nextToTell() -> (@Sendable () -> Void)? {
            guard !untold.isEmpty else {
                isTelling = false
                return nil
            }
            return untold.removeFirst()
        }
    }
}

extension Locked<HandedRequest.Answers> {
    /// Tells the caller what is there: one thing at a time, in order, and under no lock, as a caller may cancel from
    /// inside. Where another thread is at that, it goes on with what has come.
    func tell() {
        guard withLock({ $0.beginTelling() }) else { return }
        while let next = withLock({ $0.nextToTell() }) { next() }
    }

    /// The same with one thing more.
    func tell(_ last: @escaping @Sendable () -> Void) {
        withLock { $0.untold.append(last) }
        tell()
    }
}
