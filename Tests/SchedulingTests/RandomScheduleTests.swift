import ModelConfigurations
import Scheduling
import Testing

/// Thousands of made-up schedules against what must hold in all of them.
@Suite("Random schedules")
struct RandomScheduleTests {
    /// One run: a machine, a clock moved by hand, and a record of every request's fate.
    struct Run {
        var generator: SeededGenerator
        var machine: SchedulerMachine
        let scheduling: SchedulingOptions
        var now: UInt64 = 1000
        var nextID = 0
        var arrivals: [Int: QueuedRequest] = [:]
        var handles: [Int: RequestHandle] = [:]
        var fates: [Int: String] = [:]
        /// The last request served of each lane: level, shape, and whether it was behind its time.
        var lastServed: [String: Int] = [:]
        var running: [Int: Batch<QueuedRequest>] = [:]
        var callers: Set<Int> = []
        var preparing: [Batch<QueuedRequest>] = []
        var wakes: Set<Int> = []
        var parked: Set<Int> = []
        var holds: [Int: UInt64] = [:]

        init(seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            var batching: DynamicBatching?
            let maxBatchSize = Int.random(in: 1...9, using: &generator)
            if Int.random(in: 0..<5, using: &generator) > 0 {
                var preferred: [Int] = []
                for _ in 0..<Int.random(in: 0...2, using: &generator) {
                    preferred.append(Int.random(in: 1...maxBatchSize, using: &generator))
                }
                batching = DynamicBatching(
                    preferredBatchSizes: preferred,
                    maxQueueDelayMicroseconds: [0, 0, 1, 5].randomElement(using: &generator) ?? 0,
                    priorityLevels: Int.random(in: 0...3, using: &generator), defaultPriorityLevel: 1)
            }
            var scheduling = options(
                maxBatchSize: maxBatchSize, batching: batching, eager: Bool.random(using: &generator))
            for level in scheduling.levels.indices {
                scheduling.levels[level].defaultTimeout = [0, 0, 3000].randomElement(using: &generator) ?? 0
                scheduling.levels[level].allowTimeoutOverride = Bool.random(using: &generator)
                scheduling.levels[level].timeoutAction = Bool.random(using: &generator) ? .reject : .delay
                scheduling.levels[level].maxQueueSize = [0, 0, 6].randomElement(using: &generator) ?? 0
            }
            self.scheduling = scheduling
            let count = Int.random(in: 1...4, using: &generator)
            machine = SchedulerMachine(options: scheduling, instanceCount: count)
            parked = Set(0..<count)
            self.generator = generator
        }

        mutating func note(_ id: Int, _ fate: String) {
            #expect(fates[id] == nil, "request \(id) ended twice: \(fates[id] ?? "") and \(fate)")
            fates[id] = fate
        }

        mutating func take(_ batch: Batch<QueuedRequest>) {
            #expect(!batch.requests.isEmpty)
            #expect(batch.size == batch.requests.reduce(0) { $0 + $1.batchSize })
            #expect(batch.size <= max(scheduling.maxBatchSize, batch.requests.first?.batchSize ?? 0))
            #expect(scheduling.combinesRequests || batch.requests.count == 1)
            #expect(Set(batch.requests.map(\.shape)).count == 1)
            for request in batch.requests { note(request.id, "ran") }
        }

        /// A size that is not preferred must have waited: the oldest of those of its shape, in the batch or not.
        mutating func checkSize(_ batch: Batch<QueuedRequest>, waitingBefore: [QueuedRequest]) {
            guard scheduling.combinesRequests, scheduling.maxQueueDelay > 0, !machine.isDraining else { return }
            guard !scheduling.preferredBatchSizes.contains(batch.size) else { return }
            let shape = batch.requests.first?.shape
            let alike = waitingBefore.filter { $0.shape == shape }
            let hasWaited = alike.contains { $0.enqueueTime + scheduling.maxQueueDelay <= now }
            if hasWaited || alike.contains(where: isBehindTime) { return }
            // At the largest preferred size, past it, or past it with the next request, and no beginning is preferred.
            let largest = scheduling.preferredBatchSizes.max() ?? 0
            let next = inOrder(alike).dropFirst(batch.requests.count).first?.batchSize ?? 0
            #expect(batch.size + next >= largest && batch.size + next != largest || next == 0 && batch.size == largest)
            let beginnings = batch.requests.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.batchSize) }
            #expect(Set(beginnings).isDisjoint(with: scheduling.preferredBatchSizes), "ran too early or too much")
        }

        /// In the order in which requests in time are served.
        func inOrder(_ requests: [QueuedRequest]) -> [QueuedRequest] {
            requests.sorted { ($0.level, $0.id) < ($1.level, $1.id) }
        }

        /// Whether a batch of these can run at once: a preferred size can be made, or none can be any more.
        func isRipe(_ alike: [QueuedRequest]) -> Bool {
            guard !alike.contains(where: isBehindTime) else { return true }
            let largest = scheduling.preferredBatchSizes.max() ?? scheduling.maxBatchSize
            var size = 0
            for request in inOrder(alike) {
                size += request.batchSize
                if size >= largest || scheduling.preferredBatchSizes.contains(size) { return true }
            }
            return false
        }

        func isBehindTime(_ request: QueuedRequest) -> Bool {
            let policy = scheduling.levels[request.level]
            let timeout = policy.timeout(requested: request.requestedTimeout)
            return policy.timeoutAction == .delay && timeout > 0 && request.enqueueTime + timeout <= now
        }

        var waiting: [QueuedRequest] { arrivals.values.filter { fates[$0.id] == nil } }

        mutating func enqueue() {
            let level = Int.random(in: 0..<scheduling.levels.count, using: &generator)
            let shape = ShapeKey(Bool.random(using: &generator) ? [] : [Int.random(in: 1...2, using: &generator)])
            let size = Int.random(in: 1...max(1, scheduling.maxBatchSize), using: &generator)
            let request = QueuedRequest.test(
                nextID, size: Bool.random(using: &generator) ? 1 : size, level: level, shape: shape, at: now,
                timeout: [0, 500, 9000].randomElement(using: &generator) ?? 0)
            nextID += 1
            let before = waiting
            guard
                let (handle, followUp) = try? machine.enqueue(
                    request, callerMayRun: Bool.random(using: &generator), now: now)
            else { return }
            arrivals[request.id] = request
            handles[request.id] = handle
            switch followUp {
            case .nothing: break
            case .wake(let instance): wake(instance)
            case .runHere(let instance, let batch):
                #expect(batch.ids == [request.id] && parked.contains(instance))
                checkSize(batch, waitingBefore: before + [request])
                take(batch)
                parked.remove(instance)
                running[instance] = batch
                callers.insert(instance)
            case .prepare(let batch):
                checkSize(batch, waitingBefore: before + [request])
                take(batch)
                preparing.append(batch)
                #expect(preparing.count <= machine.instances.count)
            }
        }

        mutating func wake(_ instance: Int) {
            #expect(parked.contains(instance) || holds[instance] != nil, "woke a worker that neither sleeps nor holds")
            parked.remove(instance)
            holds[instance] = nil
            wakes.insert(instance)
        }

        mutating func work(_ instance: Int) {
            let before = waiting
            switch machine.nextBatch(instance: instance, now: now) {
            case .run(let batch, let next):
                #expect(running[instance] == nil, "an instance runs two batches at once")
                if batch.requests.contains(where: { fates[$0.id] == nil }) {
                    checkSize(batch, waitingBefore: before)
                    checkOrder(batch, before)
                    take(batch)
                }
                running[instance] = batch
                if let next { wake(next) }
            case .hold(let until):
                #expect(until > now)
                holds[instance] = until
            case .park: if !callers.contains(instance) { parked.insert(instance) }
            case .exit: #expect(machine.isDraining)
            case .leave(let next):
                #expect(machine.isRemoved(instance) && running[instance] == nil)
                if let next { wake(next) }
            }
        }

        /// Nobody of the same level and shape who came earlier, and is in time, may be left behind.
        func checkOrder(_ batch: Batch<QueuedRequest>, _ before: [QueuedRequest]) {
            for taken in batch.requests where !isBehindTime(taken) {
                let earlier = before.filter {
                    $0.level == taken.level && $0.id < taken.id && !isBehindTime($0)
                        && (!scheduling.combinesRequests || $0.shape == taken.shape)
                }
                #expect(earlier.allSatisfy { early in batch.ids.contains(early.id) }, "\(taken.id) overtook")
            }
        }

        mutating func settle() {
            let rejected = machine.expire(now: now)
            for request in rejected.rejected {
                note(request.id, "timed out")
                let timeout = scheduling.levels[request.level].timeout(requested: request.requestedTimeout)
                #expect(timeout > 0 && request.enqueueTime + timeout <= now)
            }
            if let next = rejected.wake { wake(next) }
            while let instance = wakes.popFirst() ?? holds.first(where: { $0.value <= now })?.key {
                holds[instance] = nil
                work(instance)
            }
        }

        /// Where an instance is free, nothing may be held past its delay, and nothing at all where nothing is held
        /// back.
        func checkNoneForgotten() {
            guard !parked.isEmpty || !holds.isEmpty else { return }
            for request in waiting {
                let delay = scheduling.combinesRequests ? scheduling.maxQueueDelay : 0
                #expect(request.enqueueTime + delay > now, "request \(request.id) waits past its delay")
            }
            guard scheduling.combinesRequests else { return }
            for alike in Dictionary(grouping: waiting, by: \.shape).values {
                #expect(!isRipe(alike), "a batch of \(inOrder(alike).map(\.id)) is held back and could run")
            }
        }

        mutating func finishOne() {
            guard let instance = running.keys.sorted().randomElement(using: &generator) else { return }
            running[instance] = nil
            if callers.contains(instance), Bool.random(using: &generator) {
                let before = waiting
                if let batch = machine.nextForCaller(instance: instance, now: now) {
                    checkSize(batch, waitingBefore: before)
                    checkOrder(batch, before)
                    take(batch)
                    running[instance] = batch
                    return
                }
            }
            if callers.remove(instance) != nil {
                if machine.release(instance: instance, now: now) {
                    wakes.insert(instance)
                } else {
                    parked.insert(instance)
                }
            } else {
                work(instance)
            }
        }

        mutating func step() {
            switch Int.random(in: 0..<11, using: &generator) {
            case 10: changeInstances()
            case 0..<4: enqueue()
            case 4..<7: finishOne()
            case 7:
                guard let id = handles.keys.sorted().randomElement(using: &generator), let handle = handles[id] else {
                    break
                }
                let (removed, next) = machine.cancel(handle, now: now)
                if let removed {
                    #expect(removed.id == id)
                    note(id, "cancelled")
                }
                if let next { wake(next) }
            case 8:
                if let batch = preparing.popLast(), let instance = machine.batchPrepared(batch) { wake(instance) }
            case 9 where Bool.random(using: &generator):
                // A wake-up that nobody sent, or that comes late; the worker may be asleep or its instance leased.
                let sleeping = parked.union(callers).union(holds.keys).sorted()
                guard let instance = sleeping.randomElement(using: &generator) else { break }
                parked.remove(instance)
                holds[instance] = nil
                work(instance)
            default: now += UInt64.random(in: 1...2000, using: &generator)
            }
            settle()
            checkNoneForgotten()
        }

        /// An instance more, or one less, whatever it does.
        mutating func changeInstances() {
            guard Bool.random(using: &generator) else { return wakes.formUnion(machine.add(count: 1)) }
            let present = machine.instances.indices.filter { !machine.isRemoved($0) }
            guard present.count > 1, let instance = present.randomElement(using: &generator) else { return }
            for woken in machine.remove(instance: instance, now: now) {
                if woken == instance {
                    parked.remove(instance)
                    holds[instance] = nil
                    wakes.insert(instance)
                } else {
                    wake(woken)
                }
            }
        }

        mutating func drain() {
            machine.drain()
            for instance in parked.union(holds.keys) { wakes.insert(instance) }
            parked = []
            holds = [:]
            settle()
            for _ in 0..<10_000 {
                if machine.isDrained { return }
                if let batch = preparing.popLast() {
                    if let instance = machine.batchPrepared(batch) { wake(instance) }
                } else {
                    finishOne()
                }
                settle()
            }
        }
    }

    @Test(
        "Nothing is lost, nothing runs twice, no batch is too large or too early",
        arguments: (0..<20).map { UInt64($0) })
    func invariants(block: UInt64) {
        for seed in block * 100..<(block + 1) * 100 {
            var run = Run(seed: seed)
            for _ in 0..<120 { run.step() }
            run.drain()
            #expect(run.machine.isDrained, "seed \(seed) did not drain")
            #expect(run.waiting.isEmpty, "seed \(seed) lost \(run.waiting.map(\.id))")
        }
    }
}
