import ModelConfigurations
import Scheduling
import Tensors
import Testing

@Suite("Scheduler machine")
struct SchedulerMachineTests {
    @Test("An idle instance's caller runs its request itself")
    func callerRuns() throws {
        var machine = SchedulerMachine(options: options(batching: nil), instanceCount: 1)
        let followUp = try machine.add(.test(1), callerMayRun: true).followUp
        let batch = try #require(followUp.ran)
        #expect(batch.ids == [1] && batch.reason == .unbatched)
        #expect(machine.instances == [.leased])
        #expect(machine.release(instance: 0, now: 1) == false)
        #expect(machine.instances == [.parked])
    }

    @Test("A caller that may not run wakes the worker; the second request needs no second wake")
    func oneWake() throws {
        var machine = SchedulerMachine(options: options(), instanceCount: 2)
        let first = try machine.add(.test(1)).followUp.wake
        #expect(first != nil)
        #expect(try machine.add(.test(2)).followUp.isNothing)
        let batch = try #require(machine.nextBatch(instance: first ?? 0, now: 1).batch)
        #expect(batch.ids == [1, 2] && batch.reason == .instanceFree)
    }

    @Test("Without batching every waiting request wakes an instance while there are any")
    func wakesPerRequest() throws {
        var machine = SchedulerMachine(options: options(batching: nil), instanceCount: 2)
        let wakes = try (1...3).map { try machine.add(.test($0)).followUp.wake }
        #expect(Set(wakes.compactMap { $0 }) == [0, 1] && wakes[2] == nil)
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.ids == [1])
        #expect(machine.nextBatch(instance: 1, now: 1).batch?.ids == [2])
        #expect(machine.nextBatch(instance: 0, now: 2).batch?.ids == [3])
        #expect(machine.nextBatch(instance: 0, now: 3).isPark)
    }

    @Test("A caller's lease goes to the worker when work has come meanwhile")
    func releaseWakes() throws {
        var machine = SchedulerMachine(options: options(), instanceCount: 1)
        _ = try machine.add(.test(1), callerMayRun: true)
        _ = try machine.add(.test(2), callerMayRun: true)
        _ = try machine.add(.test(3), callerMayRun: true)
        #expect(machine.release(instance: 0, now: 5) == true)
        #expect(machine.instances == [.woken])
        #expect(machine.nextBatch(instance: 0, now: 6).batch?.ids == [2, 3])
    }

    @Test("A caller may go on with what has come meanwhile, and gives the lease back when there is no more")
    func callerGoesOn() throws {
        var machine = SchedulerMachine(options: options(), instanceCount: 1)
        _ = try machine.add(.test(1), callerMayRun: true)
        _ = try machine.add(.test(2), callerMayRun: true)
        _ = try machine.add(.test(3), callerMayRun: true)
        #expect(machine.nextForCaller(instance: 0, now: 5)?.ids == [2, 3])
        #expect(machine.instances == [.leased])
        #expect(machine.nextForCaller(instance: 0, now: 6) == nil)
        #expect(machine.release(instance: 0, now: 7) == false)
        _ = try machine.add(.test(4), callerMayRun: true)
        machine.drain()
        #expect(machine.nextForCaller(instance: 0, now: 8) == nil)
        #expect(machine.release(instance: 0, now: 9) == true)
    }

    @Test("A wake-up that comes late does not give the worker an instance that a caller holds")
    func lateWake() throws {
        var machine = SchedulerMachine(options: options(batching: nil), instanceCount: 1)
        _ = try machine.add(.test(1), callerMayRun: true)
        try machine.add(.test(2))
        #expect(machine.nextBatch(instance: 0, now: 1).isPark)
        #expect(machine.instances == [.leased] && machine.queue.count == 1)
        #expect(machine.release(instance: 0, now: 2) == true)
        #expect(machine.nextBatch(instance: 0, now: 3).batch?.ids == [2])
    }

    @Test("A preferred size runs at once; anything else waits for the delay, no longer")
    func delay() throws {
        let batching = DynamicBatching(preferredBatchSizes: [2], maxQueueDelayMicroseconds: 1)
        var machine = SchedulerMachine(options: options(batching: batching), instanceCount: 1)
        #expect(try machine.add(.test(1, at: 100)).followUp.wake == 0)
        #expect(machine.nextBatch(instance: 0, now: 110).holdsUntil == 1100)
        #expect(try machine.add(.test(2, at: 200)).followUp.wake == 0)
        let preferred = try #require(machine.nextBatch(instance: 0, now: 210).batch)
        #expect(preferred.ids == [1, 2] && preferred.reason == .preferredSize)

        try machine.add(.test(3, at: 300))
        #expect(machine.nextBatch(instance: 0, now: 1299).holdsUntil == 1300)
        let late = try #require(machine.nextBatch(instance: 0, now: 1300).batch)
        #expect(late.ids == [3] && late.reason == .delayExpired)
    }

    @Test("Triton's fault: at the largest preferred size, one more request does not join")
    func neverOverPreferred() throws {
        let batching = DynamicBatching(preferredBatchSizes: [4], maxQueueDelayMicroseconds: 1000)
        var machine = SchedulerMachine(options: options(maxBatchSize: 8, batching: batching), instanceCount: 1)
        for id in 1...5 { try machine.add(.test(id)) }
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.ids == [1, 2, 3, 4])
        #expect(machine.nextBatch(instance: 0, now: 1).holdsUntil == 1_000_000)
    }

    @Test(
        "What can become no preferred size any more runs at once: at the largest, past it, or past it with the next",
        arguments: [
            (sizes: [7], batches: [[7]]), ([6], [[6]]), ([4, 3], [[4]]), ([1, 3, 3], [[1, 3]]), ([1, 7], [[1], [7]]),
            ([2, 5], [[2]]), ([8], [[8]]), ([5], []), ([3, 2], []),
        ])
    func saturated(sizes: [Int], batches: [[Int]]) throws {
        let batching = DynamicBatching(preferredBatchSizes: [2, 6], maxQueueDelayMicroseconds: 1000)
        var machine = SchedulerMachine(options: options(batching: batching), instanceCount: 1)
        for (id, size) in sizes.enumerated() { try machine.add(.test(id, size: size)) }
        var ran: [[Int]] = []
        while let batch = machine.nextBatch(instance: 0, now: 1).batch {
            ran.append(batch.requests.map(\.batchSize))
            #expect(batch.reason == (batch.size == 8 ? .full : .preferredSize))
        }
        #expect(ran == batches)
        if ran.joined().count < sizes.count {
            #expect(machine.nextBatch(instance: 0, now: 2).holdsUntil == 1_000_000)
        }
    }

    @Test("Without a delay, too, a batch does not go past the largest preferred size")
    func saturatedWithoutDelay() throws {
        let batching = DynamicBatching(preferredBatchSizes: [2, 6])
        var machine = SchedulerMachine(options: options(batching: batching), instanceCount: 1)
        for (id, size) in [4, 3, 1].enumerated() { try machine.add(.test(id, size: size)) }
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.ids == [0])
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.ids == [1, 2])
    }

    @Test(
        "What leaves the queue and makes a preferred size possible wakes the worker that holds a batch back",
        arguments: ["rejected", "cancelled"])
    func leaving(how: String) throws {
        let batching = DynamicBatching(preferredBatchSizes: [4, 8], maxQueueDelayMicroseconds: 10_000_000)
        var scheduling = options(batching: batching)
        scheduling.levels[0].allowTimeoutOverride = true
        var machine = SchedulerMachine(options: scheduling, instanceCount: 1)
        let (first, followUp) = try machine.add(.test(1, size: 1, at: 0, timeout: 1000))
        #expect(followUp.wake == 0)
        #expect(machine.nextBatch(instance: 0, now: 0).holdsUntil != nil)
        try machine.add(.test(2, size: 2, at: 200))
        try machine.add(.test(3, size: 2, at: 200))
        if how == "rejected" {
            let expired = machine.expire(now: 1000)
            #expect(expired.rejected.map(\.id) == [1] && expired.wake == 0)
        } else {
            let cancelled = machine.cancel(first, now: 1000)
            #expect(cancelled.request?.id == 1 && cancelled.wake == 0)
        }
        #expect(machine.nextBatch(instance: 0, now: 1000).batch?.ids == [2, 3])
    }

    @Test("The largest preferred size that can be made is taken, also with no delay")
    func largestPreferred() throws {
        let batching = DynamicBatching(preferredBatchSizes: [2, 4])
        var machine = SchedulerMachine(options: options(batching: batching), instanceCount: 1)
        for id in 1...7 { try machine.add(.test(id)) }
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.size == 4)
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.size == 2)
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.size == 1)
    }

    @Test("Items count, not requests; a request that does not fit stays for the next batch")
    func items() throws {
        var machine = SchedulerMachine(options: options(maxBatchSize: 4), instanceCount: 1)
        try machine.add(.test(1, size: 3))
        try machine.add(.test(2, size: 2))
        let first = try #require(machine.nextBatch(instance: 0, now: 1).batch)
        #expect(first.ids == [1] && first.size == 3 && first.reason == .full)
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.size == 2)
    }

    @Test("Requests of different shapes do not share a batch, and do not end one either")
    func shapes() throws {
        var machine = SchedulerMachine(options: options(), instanceCount: 1)
        try machine.add(.test(1, shape: ShapeKey([10])))
        try machine.add(.test(2, shape: ShapeKey([20])))
        try machine.add(.test(3, shape: ShapeKey([10])))
        let first = try #require(machine.nextBatch(instance: 0, now: 1).batch)
        #expect(first.ids == [1, 3] && first.reason == .shapeBoundary)
        let second = try #require(machine.nextBatch(instance: 0, now: 1).batch)
        #expect(second.ids == [2] && second.reason == .instanceFree)
    }

    @Test("The more urgent level is served first, and filled up from the next")
    func priorities() throws {
        let batching = DynamicBatching(priorityLevels: 2, defaultPriorityLevel: 2)
        var machine = SchedulerMachine(options: options(maxBatchSize: 3, batching: batching), instanceCount: 1)
        try machine.add(.test(1, level: 1))
        try machine.add(.test(2, level: 1))
        try machine.add(.test(3, level: 0))
        try machine.add(.test(4, level: 0))
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.ids == [3, 4, 1])
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.ids == [2])
    }

    @Test("A full queue refuses, per level, with or without batching", arguments: [true, false])
    func queueSize(isBatching: Bool) throws {
        var scheduling = options(batching: isBatching ? DynamicBatching() : nil)
        scheduling.levels[0].maxQueueSize = 1
        var machine = SchedulerMachine(options: scheduling, instanceCount: 1)
        try machine.add(.test(1), callerMayRun: true)
        try machine.add(.test(2))
        let error = #expect(throws: HalcyonError.self) { try machine.add(.test(3)) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("Exceeds maximum queue size") == true)
    }

    @Test("REJECT requests leave when their time is over, DELAY requests go behind")
    func timeouts() throws {
        var scheduling = options(batching: nil)
        scheduling.levels[0].defaultTimeout = 100
        scheduling.levels[0].allowTimeoutOverride = true
        var rejecting = SchedulerMachine(options: scheduling, instanceCount: 1)
        try rejecting.add(.test(1, at: 0))
        try rejecting.add(.test(2, at: 0, timeout: 40))
        try rejecting.add(.test(3, at: 0, timeout: 400))
        #expect(rejecting.nextExpiry() == 40)
        #expect(rejecting.expire(now: 39).rejected.isEmpty)
        #expect(rejecting.expire(now: 40).rejected.map(\.id) == [2])
        #expect(rejecting.nextExpiry() == 100)
        #expect(rejecting.expire(now: 100).rejected.map(\.id) == [1, 3])
        #expect(rejecting.nextExpiry() == nil)

        scheduling.levels[0].timeoutAction = .delay
        var delaying = SchedulerMachine(options: scheduling, instanceCount: 1)
        try delaying.add(.test(1, at: 0))
        try delaying.add(.test(2, at: 90))
        #expect(delaying.expire(now: 100).rejected.isEmpty)
        #expect(delaying.nextBatch(instance: 0, now: 100).batch?.ids == [2])
        #expect(delaying.nextBatch(instance: 0, now: 100).batch?.ids == [1])
    }

    @Test("Without an instance, those who would not wait for the next are told at once, and later ones are refused")
    func outage() throws {
        var scheduling = options(batching: nil)
        scheduling.levels[0].allowTimeoutOverride = true
        var machine = SchedulerMachine(options: scheduling, instanceCount: 1)
        let second: UInt64 = 1_000_000_000
        try machine.add(.test(0))
        #expect(machine.nextBatch(instance: 0, now: 0).batch != nil)
        try machine.add(.test(1, at: 0, timeout: 8 * second))
        try machine.add(.test(2, at: 0, timeout: 3 * second))
        try machine.add(.test(3, at: 0))
        let outage = Outage(end: 7 * second, reason: "none is there")
        let none = machine.suffer(outage, now: second)
        _ = machine.lose(instance: 0, now: 0)
        let impatient = machine.suffer(outage, now: second)
        #expect(none.isEmpty && impatient.map(\.id) == [2, 3])
        let error = #expect(throws: HalcyonError.self) { try machine.add(.test(4, at: second)) }
        #expect(error?.message == "none is there; try again in 6 s" && error?.retryAfter == .seconds(6))
        #expect(error?.code == .unavailable)
        try machine.add(.test(5, at: 3 * second))
        #expect(throws: HalcyonError.self) { try machine.add(.test(6, at: 3 * second, timeout: second)) }
        machine.replace(instance: 0)
        try machine.add(.test(7, at: 4 * second, timeout: second))
        #expect(machine.nextBatch(instance: 0, now: 4 * second).batch?.ids == [1])
    }

    @Test("A cancelled request leaves at once, and its handle finds nothing twice")
    func cancel() throws {
        var machine = SchedulerMachine(options: options(), instanceCount: 1)
        let first = try machine.add(.test(1)).handle
        let second = try machine.add(.test(2)).handle
        #expect(machine.cancel(first, now: 1).request?.id == 1)
        #expect(machine.cancel(first, now: 1).request == nil)
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.ids == [2])
        #expect(machine.cancel(second, now: 1).request == nil)
    }

    @Test("A stale handle does not reach the request that took its place")
    func staleHandle() throws {
        var machine = SchedulerMachine(options: options(), instanceCount: 1)
        let first = try machine.add(.test(1)).handle
        _ = machine.cancel(first, now: 1)
        try machine.add(.test(2))
        #expect(machine.cancel(first, now: 1).request == nil)
        #expect(machine.queue.count == 1)
    }

    @Test("Eager batching gathers one full batch an instance ahead, and only while all are busy")
    func eager() throws {
        var machine = SchedulerMachine(options: options(maxBatchSize: 2, eager: true), instanceCount: 1)
        _ = try machine.add(.test(0), callerMayRun: true)
        #expect(try machine.add(.test(1)).followUp.isNothing)
        let batch = try #require(try machine.add(.test(2)).followUp.prepares)
        #expect(batch.ids == [1, 2] && batch.reason == .full)
        try machine.add(.test(3))
        #expect(try machine.add(.test(4)).followUp.isNothing, "one batch ahead, no more")
        #expect(machine.batchPrepared(batch) == nil)
        #expect(machine.release(instance: 0, now: 9) == true)
        #expect(machine.nextBatch(instance: 0, now: 9).batch?.ids == [1, 2])
        #expect(machine.nextBatch(instance: 0, now: 9).batch?.ids == [3, 4])
    }

    @Test("A request waits until its batch runs, also in a batch that was formed ahead of time")
    func waitingCount() throws {
        var machine = SchedulerMachine(options: options(maxBatchSize: 2, eager: true), instanceCount: 1)
        #expect(machine.waitingCount == 0 && machine.busyCount == 0)
        _ = try machine.add(.test(0), callerMayRun: true)
        #expect(machine.waitingCount == 0 && machine.busyCount == 1)
        _ = try machine.add(.test(1))
        let batch = try #require(try machine.add(.test(2)).followUp.prepares)
        try machine.add(.test(3))
        #expect(machine.waitingCount == 3)
        _ = machine.batchPrepared(batch)
        _ = machine.release(instance: 0, now: 9)
        #expect(machine.waitingCount == 3 && machine.busyCount == 0)
        _ = machine.nextBatch(instance: 0, now: 9)
        #expect(machine.waitingCount == 1 && machine.busyCount == 1)
        let late = try #require(try machine.add(.test(4)).followUp.prepares)
        _ = machine.batchPrepared(late)
        machine.drain()
        #expect(machine.abandon().count == 2)
        #expect(machine.waitingCount == 0 && machine.busyCount == 1)
    }

    @Test("Draining refuses new requests, holds nothing back and lets the workers go")
    func draining() throws {
        let batching = DynamicBatching(maxQueueDelayMicroseconds: 1_000_000)
        var machine = SchedulerMachine(options: options(batching: batching), instanceCount: 2)
        try machine.add(.test(1))
        machine.drain()
        #expect(throws: HalcyonError.self) { try machine.add(.test(2)) }
        let batch = try #require(machine.nextBatch(instance: 0, now: 1).batch)
        #expect(batch.ids == [1] && batch.reason == .draining)
        #expect(machine.nextBatch(instance: 1, now: 1).isExit)
        #expect(!machine.isDrained)
        #expect(machine.nextBatch(instance: 0, now: 2).isExit)
        #expect(machine.isDrained)
    }

    @Test("What is given up comes back in the order of arrival")
    func abandon() throws {
        let batching = DynamicBatching(priorityLevels: 2, defaultPriorityLevel: 1)
        var machine = SchedulerMachine(options: options(batching: batching), instanceCount: 1)
        try machine.add(.test(1, level: 1))
        try machine.add(.test(2, level: 0, shape: ShapeKey([3])))
        try machine.add(.test(3, level: 0))
        machine.drain()
        #expect(machine.abandon().map(\.id) == [1, 2, 3])
        #expect(machine.queue.isEmpty)
    }

    @Test("After one worker has taken a batch, another is woken for the rest")
    func chainWake() throws {
        var machine = SchedulerMachine(options: options(maxBatchSize: 2), instanceCount: 2)
        let first = try #require(try machine.add(.test(1)).followUp.wake)
        try machine.add(.test(2))
        let second = try machine.add(.test(3)).followUp.wake
        #expect(second != nil && second != first, "three items are more than one worker takes")
        let action = machine.nextBatch(instance: first, now: 1)
        #expect(action.batch?.ids == [1, 2] && action.wake == nil, "the second is on its way already")
        #expect(machine.nextBatch(instance: second ?? 0, now: 1).batch?.ids == [3])
    }

    @Test("A replacement that is lost before it comes is expected no longer: the next one is woken for a request")
    func lostReplacement() throws {
        var machine = SchedulerMachine(options: options(), instanceCount: 1)
        try machine.add(.test(1))
        #expect(machine.nextBatch(instance: 0, now: 1).batch?.ids == [1])
        _ = machine.lose(instance: 0, now: 0)
        #expect(machine.isDeserted && machine.busyCount == 0)
        machine.replace(instance: 0)
        _ = machine.lose(instance: 0, now: 0)
        machine.replace(instance: 0)
        #expect(machine.nextBatch(instance: 0, now: 2).isPark)
        #expect(try machine.add(.test(2)).followUp.wake == 0)
        #expect(machine.nextBatch(instance: 0, now: 3).batch?.ids == [2])
    }

    @Test("What a lost instance was woken for, or held back, is another's")
    func idleLoss() throws {
        var machine = SchedulerMachine(options: options(batching: nil), instanceCount: 2)
        let first = try #require(try machine.add(.test(1)).followUp.wake)
        let second = machine.lose(instance: first, now: 0)
        #expect(second == 1 - first)
        #expect(machine.nextBatch(instance: 1 - first, now: 1).batch?.ids == [1])
        #expect(machine.lose(instance: 1 - first, now: 2) == nil && machine.isDeserted)
    }

    @Test("A worker in place of a lost one has nothing to run before the machine knows of it")
    func earlyReplacement() throws {
        var machine = SchedulerMachine(options: options(), instanceCount: 1)
        try machine.add(.test(1))
        _ = machine.nextBatch(instance: 0, now: 1)
        try machine.add(.test(2))
        _ = machine.lose(instance: 0, now: 0)
        #expect(machine.nextBatch(instance: 0, now: 2).isPark && machine.block(instance: 0, now: 2) == nil)
        #expect(machine.instances == [.lost])
        machine.replace(instance: 0)
        #expect(machine.nextBatch(instance: 0, now: 3).batch?.ids == [2])
    }
}
