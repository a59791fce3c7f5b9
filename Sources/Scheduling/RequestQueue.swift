internal import HeapModule
internal import ModelConfigurations
package import Tensors

/// The waiting requests of one model: priorities, timeouts and sizes. A value without a clock: every event says when.
///
/// Requests of different shapes wait in different buckets. Inside a bucket there are two lanes a priority level, one
/// for requests in time and one, behind it, for requests whose timeout passed and whose policy is DELAY. The order
/// inside a lane is that of arrival.
///
/// Which bucket has its turn is known at any time: those that may run are in one heap, by their first requests, and
/// those that are held back in another, by when they may run. So what an event costs does not grow with the number of
/// shapes, except for its logarithm, nor with that of requests.
package struct RequestQueue: Sendable {
    struct Bucket {
        var shape: ShapeKey
        var lanes: [RequestSlab.List]
        var count = 0
        /// How far a batch reaches; `nil` where it has to be looked at anew.
        var reach: BatchReach?
    }

    /// A bucket's place in the order in which requests are served: that of its first request.
    private struct Turn: Comparable {
        var lane: Int
        var sequence: UInt64

        static func < (left: Turn, right: Turn) -> Bool {
            (left.lane, left.sequence) < (right.lane, right.sequence)
        }
    }

    private struct Expiry: Comparable {
        var deadline: UInt64
        /// Of two that end at the same time, the one that came first is first.
        var sequence: UInt64
        var handle: RequestHandle

        static func < (left: Expiry, right: Expiry) -> Bool {
            (left.deadline, left.sequence) < (right.deadline, right.sequence)
        }
    }

    let options: SchedulingOptions
    private let admission: BatchAdmission?
    private(set) var slab = RequestSlab()
    private(set) var buckets: [Bucket]
    private var bucketOfShape: [ShapeKey: Int]
    private var freeBuckets: [Int] = []
    /// The buckets of which something may run.
    private var ready = IndexedHeap<Turn>()
    /// The others that have requests, by when something may run, in nanoseconds.
    private var held = IndexedHeap<UInt64>()
    /// Requests and lanes that decisions have looked at.
    private var laneLooks: UInt64 = 0
    private var expiries = Heap<Expiry>()
    private var countOfLevel: [Int]
    private var nextSequence: UInt64 = 0
    /// Items of all waiting requests.
    package private(set) var items = 0

    package init(options: SchedulingOptions, admission: BatchAdmission? = nil) {
        self.options = options
        self.admission = options.combinesRequests ? admission : nil
        buckets = [Self.makeBucket(.fixed, levels: options.levels.count)]
        bucketOfShape = [.fixed: 0]
        countOfLevel = Array(repeating: 0, count: options.levels.count)
    }

    private static func makeBucket(_ shape: ShapeKey, levels: Int) -> Bucket {
        Bucket(shape: shape, lanes: Array(repeating: RequestSlab.List(), count: levels * 2))
    }

    /// How often a decision has looked at a request, a lane or a bucket so far: what decisions cost is told by that.
    package var looks: UInt64 { laneLooks &+ ready.looks &+ held.looks }

    /// Waiting requests.
    package var count: Int { slab.count }
    package var isEmpty: Bool { slab.count == 0 }

    /// Adds a request.
    ///
    /// - Throws: `unavailable` where its priority level's queue is full.
    package mutating func insert(_ request: QueuedRequest) throws(HalcyonError) -> RequestHandle {
        let policy = options.levels[level(of: request)]
        guard policy.maxQueueSize == 0 || countOfLevel[level(of: request)] < policy.maxQueueSize else {
            throw HalcyonError(
                .unavailable, "Exceeds maximum queue size: \(policy.maxQueueSize) requests wait already")
        }
        return add(request)
    }

    private func level(of request: QueuedRequest) -> Int { min(max(0, request.level), options.levels.count - 1) }

    /// Adds a request, however many wait.
    package mutating func add(_ request: QueuedRequest) -> RequestHandle {
        var request = request
        request.level = level(of: request)
        request.sequence = nextSequence
        nextSequence &+= 1
        let handle = append(request, delayed: false)
        let timeout = options.levels[request.level].timeout(requested: request.requestedTimeout)
        if timeout != 0 {
            let deadline = request.enqueueTime.adding(timeout)
            if deadline != .never {
                expiries.insert(Expiry(deadline: deadline, sequence: request.sequence, handle: handle))
            }
        }
        return handle
    }

    private mutating func append(_ request: QueuedRequest, delayed: Bool) -> RequestHandle {
        let bucket = bucketIndex(for: request.shape)
        let lane = RequestSlab.Lane(bucket: bucket, index: request.level * 2 + (delayed ? 1 : 0))
        let isLast = isBehindAll(lane)
        buckets[bucket].count += 1
        countOfLevel[request.level] += 1
        items += request.batchSize
        let handle = slab.append(request, to: &buckets[bucket].lanes[lane.index], lane: lane)
        if !isLast {
            buckets[bucket].reach = nil
        } else if let admission {
            let members = first(buckets[bucket].reach?.extent.requestCount ?? 0, of: bucket)
            buckets[bucket].reach?.add(request.batchSize, options) { admission.admits(members, request) }
        } else {
            buckets[bucket].reach?.add(request.batchSize, options)
        }
        settle(bucket)
        return handle
    }

    /// Whether what is appended to a lane is served after all that waits in its bucket.
    private mutating func isBehindAll(_ lane: RequestSlab.Lane) -> Bool {
        for list in buckets[lane.bucket].lanes[(lane.index + 1)...] {
            laneLooks &+= 1
            if !list.isEmpty { return false }
        }
        return true
    }

    private mutating func bucketIndex(for shape: ShapeKey) -> Int {
        if shape.openDimensions.isEmpty || !options.combinesRequests { return 0 }
        if let index = bucketOfShape[shape] { return index }
        let bucket = Self.makeBucket(shape, levels: options.levels.count)
        let index: Int
        if let reused = freeBuckets.popLast() {
            index = reused
            buckets[index] = bucket
        } else {
            index = buckets.count
            buckets.append(bucket)
        }
        bucketOfShape[shape] = index
        return index
    }

    /// Takes out a request that nobody waits for any more; `nil` if it has left already.
    package mutating func remove(_ handle: RequestHandle) -> QueuedRequest? {
        guard let lane = slab.lane(of: handle) else { return nil }
        defer { settle(lane.bucket) }
        return remove(at: handle.index, lane: lane)
    }

    /// Takes a request out; the bucket is to be settled after that.

    private mutating func remove(at index: Int, lane: RequestSlab.Lane) -> QueuedRequest? {
        guard let request = slab.remove(at: index, from: &buckets[lane.bucket].lanes[lane.index]) else { return nil }
        buckets[lane.bucket].count -= 1
        countOfLevel[request.level] -= 1
        items -= request.batchSize
        buckets[lane.bucket].reach = nil
        if buckets[lane.bucket].count == 0, lane.bucket != 0 {
            bucketOfShape[buckets[lane.bucket].shape] = nil
            freeBuckets.append(lane.bucket)
        }
        return request
    }

    /// Takes a plan's requests out, in order.
    mutating func take(_ plan: BatchPlan) -> Batch<QueuedRequest> {
        var requests: [QueuedRequest] = []
        requests.reserveCapacity(plan.requestCount)
        var lane = 0
        while requests.count < plan.requestCount, lane < buckets[plan.bucket].lanes.count {
            let index = buckets[plan.bucket].lanes[lane].first
            if index < 0 {
                lane += 1
            } else if let request = remove(at: index, lane: RequestSlab.Lane(bucket: plan.bucket, index: lane)) {
                requests.append(request)
            }
        }
        settle(plan.bucket)
        return Batch(requests: requests, size: plan.size, reason: plan.reason, leftWaiting: slab.count)
    }

    /// Takes out those of which something is true, in the order of arrival.
    mutating func removeAll(where isWanted: (QueuedRequest) -> Bool) -> [QueuedRequest] {
        var handles: [RequestHandle] = []
        for list in buckets.lazy.flatMap(\.lanes) {
            var index = list.first
            while let request = slab.request(at: index) {
                if isWanted(request) { handles.append(slab.handle(at: index)) }
                index = slab.next(after: index)
            }
        }
        return handles.compactMap { remove($0) }.sorted { $0.sequence < $1.sequence }
    }

    /// Takes out everything, in the order of arrival.
    package mutating func removeAll() -> [QueuedRequest] {
        var requests: [QueuedRequest] = []
        for bucket in buckets.indices {
            for lane in buckets[bucket].lanes.indices {
                while buckets[bucket].lanes[lane].first >= 0 {
                    let index = buckets[bucket].lanes[lane].first
                    guard let request = remove(at: index, lane: RequestSlab.Lane(bucket: bucket, index: lane)) else {
                        break
                    }
                    requests.append(request)
                }
            }
            settle(bucket)
        }
        return requests.sorted { $0.sequence < $1.sequence }
    }

    // MARK: Turns

    /// Sees to it that a bucket that has changed is in the right heap, at its place.
    private mutating func settle(_ bucket: Int) {
        guard buckets[bucket].count > 0 else {
            ready.remove(bucket)
            held.remove(bucket)
            return
        }
        if isRipe(bucket) {
            held.remove(bucket)
            ready.set(bucket, turn(bucket))
        } else {
            ready.remove(bucket)
            held.set(bucket, releaseTime(bucket))
        }
    }

    /// Whether something of a bucket may run, however short the time that it has waited.
    private mutating func isRipe(_ bucket: Int) -> Bool {
        !options.combinesRequests || options.maxQueueDelay == 0 || reach(bucket).ripe(options) != nil
    }

    private mutating func turn(_ bucket: Int) -> Turn {
        for (lane, list) in buckets[bucket].lanes.enumerated() {
            laneLooks &+= 1
            if !list.isEmpty { return Turn(lane: lane, sequence: slab.sequence(at: list.first)) }
        }
        return Turn(lane: Int.max, sequence: UInt64.max)
    }

    /// The bucket whose turn it is; `nil` where all that waits is held back.
    mutating func nextBucket(now: UInt64) -> Int? {
        while let first = held.first, first.key <= now {
            held.remove(first.index)
            ready.set(first.index, turn(first.index))
        }
        return ready.first?.index
    }

    /// When something that is held back may run.
    var nextRelease: UInt64? { held.first?.key }

    /// How far a batch from the head of a bucket reaches.
    mutating func reach(_ bucket: Int) -> BatchReach {
        if let known = buckets[bucket].reach { return known }
        if let admission { return reach(bucket, admission) }
        var reach = BatchReach()
        walk: for list in buckets[bucket].lanes where !list.isEmpty {
            var index = list.first
            while index >= 0 {
                laneLooks &+= 1
                reach.add(slab.batchSize(at: index), options)
                if reach.isLimited { break walk }
                index = slab.next(after: index)
            }
        }
        buckets[bucket].reach = reach
        return reach
    }

    private mutating func reach(_ bucket: Int, _ admission: BatchAdmission) -> BatchReach {
        var reach = BatchReach()
        var members: [QueuedRequest] = []
        for request in first(options.maxBatchSize + 1, of: bucket) {
            reach.add(request.batchSize, options) { admission.admits(members, request) }
            if reach.isLimited { break }
            members.append(request)
        }
        buckets[bucket].reach = reach
        return reach
    }

    /// The requests of a bucket that are taken first, in order.
    func first(_ count: Int, of bucket: Int) -> [QueuedRequest] {
        var requests: [QueuedRequest] = []
        for list in buckets[bucket].lanes where !list.isEmpty {
            var index = list.first
            while requests.count < count, let request = slab.request(at: index) {
                requests.append(request)
                index = slab.next(after: index)
            }
        }
        return requests
    }

    /// Items of a bucket's first request.
    func firstSize(_ bucket: Int) -> Int {
        for list in buckets[bucket].lanes where !list.isEmpty { return slab.batchSize(at: list.first) }
        return 1
    }

    /// When a bucket's oldest request has been held back long enough. A request behind its own timeout is held back no
    /// further.
    mutating func releaseTime(_ bucket: Int) -> UInt64 {
        var oldest = UInt64.max
        for (lane, list) in buckets[bucket].lanes.enumerated() where !list.isEmpty {
            laneLooks &+= 1
            if lane % 2 == 1 { return 0 }
            oldest = min(oldest, slab.enqueueTime(at: list.first))
        }
        return oldest.adding(options.maxQueueDelay)
    }

    // MARK: Timeouts

    /// When the next timeout of a waiting request passes; `nil` while none is waiting with a timeout.
    package var nextExpiry: UInt64? {
        mutating get {
            while let first = expiries.min {
                if slab.lane(of: first.handle) != nil { return first.deadline }
                expiries.removeMin()
            }
            return nil
        }
    }

    /// Takes out the request whose turn it is, alone, however long others are held back.
    package mutating func popFirst() -> QueuedRequest? {
        guard let bucket = nextBucket(now: .max), let list = buckets[bucket].lanes.first(where: { !$0.isEmpty }) else {
            return nil
        }
        return remove(slab.handle(at: list.first))
    }

    /// Acts on the timeouts that have passed: REJECT requests leave and are returned, DELAY requests go behind.
    package mutating func expire(now: UInt64) -> (rejected: [QueuedRequest], delayedCount: Int) {
        var rejected: [QueuedRequest] = []
        var delayedCount = 0
        while let first = expiries.min, first.deadline <= now {
            expiries.removeMin()
            guard let request = remove(first.handle) else { continue }
            switch options.levels[request.level].timeoutAction {
            case .reject: rejected.append(request)
            case .delay:
                _ = append(request, delayed: true)
                delayedCount += 1
            }
        }
        dropStaleExpiries()
        return (rejected, delayedCount)
    }

    /// Requests that ran in time leave their entry behind; without this, a long timeout would keep it as long.
    private mutating func dropStaleExpiries() {
        guard expiries.count > 64, expiries.count > 2 * slab.count else { return }
        let live = expiries.unordered.filter { slab.lane(of: $0.handle) != nil }
        expiries = Heap(live)
    }
}
