import Scheduling
import Testing

/// One run: a machine, the model beside it, a clock moved by hand, and a record of every request's fate.
struct SequenceRun {
    var generator: SeededGenerator
    var machine: SequenceMachine
    var model: SequenceModel
    let options: SequenceOptions
    var now: UInt64 = 1000
    var nextID = 0
    var accepted: Set<Int> = []
    var fates: [Int: String] = [:]
    var handles: [Int: SequenceHandle] = [:]
    /// By instance, the turns of requests that have ended, and the turn that runs next.
    var turns: [Int: Set<UInt64>] = [:]
    var running: [Int: SequenceBatch<SequencedRequest>] = [:]
    var parked: Set<Int>
    var holds: [Int: UInt64] = [:]
    var wakes: Set<Int> = []
    var exited: Set<Int> = []
    var keepsSequences = true

    var isDirect: Bool {
        if case .direct = options.strategy { true } else { false }
    }

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let maxBatchSize = Int.random(in: 0...4, using: &generator)
        let delay: UInt64 = [0, 0, 1, 3].randomElement(using: &generator) ?? 0
        let strategy: SequenceOptions.Strategy =
            if Bool.random(using: &generator) {
                .direct(
                    delayMicroseconds: delay,
                    minimumSlotUtilization: [0, 0.5, 1].randomElement(using: &generator) ?? 0)
            } else {
                .oldest(
                    maxCandidateSequences: Int.random(in: 0...6, using: &generator),
                    preferredBatchSizes: [[], [2], [1, 3]].randomElement(using: &generator) ?? [],
                    maxQueueDelayMicroseconds: delay, preserveOrdering: Bool.random(using: &generator))
            }
        options = SequenceOptions(
            modelName: "m", strategy: strategy, maxBatchSize: maxBatchSize,
            instanceCount: Int.random(in: 1...3, using: &generator),
            idleTimeout: UInt64.random(in: 1000...20_000, using: &generator),
            maxWaitingRequests: [0, 0, 12].randomElement(using: &generator) ?? 0)
        machine = SequenceMachine(options: options)
        model = SequenceModel(options: options)
        parked = Set(0..<options.instanceCount)
        self.generator = generator
    }

    // MARK: Events

    mutating func step() {
        switch Int.random(in: 0..<12, using: &generator) {
        case 0..<5: enqueue()
        case 5..<9: finishOne()
        case 9 where Int.random(in: 0..<4, using: &generator) == 0: cancel()
        case 10 where Int.random(in: 0..<4, using: &generator) == 0:
            // A worker comes without having been told to.
            guard let instance = parked.union(holds.keys).sorted().randomElement(using: &generator) else { break }
            work(instance)
        default: now += UInt64.random(in: 1...2500, using: &generator)
        }
        settle()
        check()
    }

    mutating func enqueue() {
        let number = Int.random(in: 1...9, using: &generator)
        let correlation: CorrelationID = number > 7 ? .text("\(number)") : .number(UInt64(number))
        let isKnown = model.open[correlation] != nil
        var request = SequencedRequest.test(
            nextID, of: correlation, start: Int.random(in: 0..<10, using: &generator) < (isKnown ? 1 : 9),
            end: Int.random(in: 0..<4, using: &generator) == 0, at: now,
            timeout: [0, 0, 0, 4000].randomElement(using: &generator) ?? 0)
        request.shape = ShapeKey(Int.random(in: 0..<4, using: &generator) == 0 ? [2] : [1])
        nextID += 1
        let isFull = options.maxWaitingRequests > 0 && model.waitingCount >= options.maxWaitingRequests
        let isStopped = machine.isDraining && (request.start || !keepsSequences)
        let isWelcome = !isStopped && !isFull && (request.start || isKnown)
        guard let enqueued = try? machine.enqueue(request, now: now) else {
            verify(!isWelcome, "request \(request.id) was refused")
            return
        }
        verify(isWelcome && enqueued.restarted == (request.start && isKnown))
        accepted.insert(request.id)
        handles[request.id] = enqueued.handle
        model.enqueue(request, now: now)
        if let wake = enqueued.wake { self.wake(wake) }
    }

    mutating func cancel() {
        guard let id = handles.keys.sorted().randomElement(using: &generator), let handle = handles[id] else { return }
        let cancelled = machine.cancel(handle, now: now)
        guard let life = model.life(ofRequest: id) else {
            verify(cancelled.requests.isEmpty && cancelled.wake == nil)
            return
        }
        let waiting = model.lives[life]?.waiting ?? []
        verify(cancelled.requests.map(\.id) == waiting.map(\.id).filter { $0 >= id })
        end(cancelled.requests, of: life, "cancelled")
        if let wake = cancelled.wake { self.wake(wake) }
    }

    /// Requests that leave a sequence, which ends with them.
    mutating func end(_ requests: [SequencedRequest], of life: Int, _ fate: String) {
        for request in requests {
            note(request, fate, instance: model.lives[life]?.place?.instance)
            model.lives[life]?.waiting.removeAll { $0.id == request.id }
        }
        model.close(life)
        model.settle(life, now: now)
    }

    mutating func note(_ request: SequencedRequest, _ fate: String, instance: Int?) {
        verify(fates[request.id] == nil, "request \(request.id) ended twice")
        fates[request.id] = fate
        guard let turn = request.turn, let instance else { return }
        verify(turns[instance, default: []].insert(turn).inserted, "two requests have turn \(turn)")
    }

    mutating func wake(_ instance: Int) {
        verify(parked.contains(instance) || holds[instance] != nil, "woke a worker that neither sleeps nor holds")
        parked.remove(instance)
        holds[instance] = nil
        wakes.insert(instance)
    }

    mutating func finishOne() {
        guard let instance = running.keys.sorted().randomElement(using: &generator), let batch = running[instance]
        else {
            return
        }
        running[instance] = nil
        machine.completed(batch, now: now)
        for id in batch.requests.map(\.id) {
            guard let life = model.lives.first(where: { $0.value.running == id })?.key else { continue }
            model.lives[life]?.running = nil
            model.lives[life]?.lastActivity = now
            model.lives[life]?.readySince = now
            if machine.isDraining, !keepsSequences { model.close(life) }
        }
        // Slots are given on in the order of the rows.
        for row in batch.rows {
            let place = SequenceModel.Place(instance: instance, slot: row.slot)
            guard row.request != nil, let life = model.lives.first(where: { $0.value.place == place })?.key else {
                continue
            }
            model.settle(life, now: now)
        }
        work(instance)
    }

    mutating func work(_ instance: Int) {
        parked.remove(instance)
        holds[instance] = nil
        wakes.remove(instance)
        switch machine.nextBatch(instance: instance, now: now) {
        case .run(let batch):
            check(batch, on: instance)
            take(batch)
        case .hold(let until):
            verify(until > now)
            holds[instance] = until
        case .park: parked.insert(instance)
        case .exit:
            verify(machine.isDraining && !model.lives.values.contains { $0.place?.instance == instance })
            exited.insert(instance)
        }
    }

    mutating func take(_ batch: SequenceBatch<SequencedRequest>) {
        running[batch.instance] = batch
        for row in batch.rows {
            guard let request = row.request else { continue }
            note(request, "ran", instance: batch.instance)
            handles[request.id] = Int.random(in: 0..<8, using: &generator) == 0 ? handles[request.id] : nil
            guard let life = model.life(ofRequest: request.id) else { continue }
            model.lives[life]?.waiting.removeFirst()
            model.lives[life]?.running = request.id
        }
    }

    mutating func settle() {
        let expired = machine.expire(now: now)
        let lost = Set(expired.timedOut.compactMap { model.life(ofRequest: $0.id) })
        for life in lost.sorted() {
            let waiting = model.lives[life]?.waiting ?? []
            verify((model.lives[life]?.backlogDeadline ?? .max) <= now)
            let ids = Set(waiting.map(\.id))
            let timedOut = expired.timedOut.filter { ids.contains($0.id) }
            verify(timedOut.map(\.id) == waiting.map(\.id))
            end(timedOut, of: life, "timed out")
        }
        for correlation in expired.idle {
            guard let life = model.open[correlation], let idle = model.lives[life] else {
                Issue.record("\(correlation) was not there to be idle")
                continue
            }
            verify(idle.waiting.isEmpty && idle.running == nil && idle.lastActivity + options.idleTimeout <= now)
            end([], of: life, "idle")
        }
        for instance in expired.wakes { wake(instance) }
        while let instance = wakes.sorted().first ?? holds.filter({ $0.value <= now }).keys.sorted().first {
            work(instance)
        }
    }

    mutating func drain() {
        keepsSequences = Bool.random(using: &generator)
        machine.drain(keepingSequences: keepsSequences)
        if !keepsSequences {
            for life in model.lives.keys { model.close(life) }
            let places = model.lives.filter { $0.value.place != nil }
            for life in places.sorted(by: { ($0.value.place ?? .last) < ($1.value.place ?? .last) }).map(\.key) {
                model.settle(life, now: now)
            }
        }
        wakeAll()
        for _ in 0..<20 where keepsSequences { step() }
        if Int.random(in: 0..<4, using: &generator) == 0 {
            let abandoned = machine.abandon()
            verify(abandoned.count == model.waitingCount)
            verify(abandoned.map(\.id) == abandoned.map(\.id).sorted())
            model.backlog = []
            for request in abandoned {
                guard let life = model.life(ofRequest: request.id) else { continue }
                note(request, "abandoned", instance: model.lives[life]?.place?.instance)
            }
            for life in model.lives.keys {
                model.lives[life]?.waiting = []
                model.close(life)
                model.settle(life, now: now)
            }
            wakeAll()
        }
        for _ in 0..<10_000 {
            if machine.isDrained { break }
            if running.isEmpty, let expiry = machine.nextExpiry() { now = max(now, expiry) }
            finishOne()
            settle()
            check()
        }
        settle()
    }

    mutating func wakeAll() {
        wakes.formUnion(parked.union(holds.keys))
        parked = []
        holds = [:]
        settle()
    }
}
