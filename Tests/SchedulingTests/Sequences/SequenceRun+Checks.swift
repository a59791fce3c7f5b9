import Scheduling
import Testing

/// As `#expect`, which takes its time also where there is nothing to say: these are millions.
func verify(
    _ holds: Bool, _ comment: @autoclosure () -> Comment? = nil, at location: SourceLocation = #_sourceLocation
) {
    if !holds { Issue.record(comment(), sourceLocation: location) }
}

extension SequenceRun {
    /// After every event.
    mutating func check() {
        verify(machine.nextExpiry() == model.nextExpiry)
        verify(machine.waitingCount == model.waitingCount && machine.backlogCount == model.backlog.count)
        verify(machine.sequenceCount == model.lives.count && machine.busyCount == running.count)
        verify(model.backlog.isEmpty || model.free.isEmpty, "a slot is free and a sequence waits for one")
        for instance in parked { verify(model.ready(on: instance).isEmpty, "requests wait beside a sleeping worker") }
        for instance in holds.keys {
            let ready = model.ready(on: instance)
            verify(!mayRun(ready) || ready.isEmpty, "requests are held back too long")
        }
        for instance in exited {
            verify(!model.lives.values.contains { $0.place?.instance == instance }, "a worker left too soon")
        }
    }

    /// Whether nothing allows to hold these back.
    func mayRun(_ ready: [SequenceModel.Life]) -> Bool {
        switch options.strategy {
        case .direct(let delay, let utilization):
            let oldest = ready.compactMap { $0.waiting.first?.enqueueTime }.min() ?? 0
            return delay == 0 || utilization == 0 || machine.isDraining || oldest + delay * 1000 <= now
                || Float(ready.count) >= utilization * Float(options.batchLimit)
        case .oldest(_, _, let delay, _):
            let oldest = ready.map(\.readySince).min() ?? 0
            return delay == 0 || machine.isDraining || oldest + delay * 1000 <= now || options.batchLimit == 1
        }
    }

    func check(_ batch: SequenceBatch<SequencedRequest>, on instance: Int) {
        verify(running[instance] == nil && batch.instance == instance && !batch.requests.isEmpty)
        verify(batch.rows.count <= options.batchLimit)
        verify(Set(batch.rows.map(\.slot)).count == batch.rows.count)
        if options.batchLimit > 1 { verify(Set(batch.requests.map(\.shape)).count == 1) }
        for row in batch.rows {
            guard let request = row.request else {
                verify(row.control == .notReady && isDirect)
                continue
            }
            let expected = SequenceControl(
                start: request.start, end: request.end, ready: true, correlation: request.correlation)
            verify(row.control == expected)
            guard let life = model.life(ofRequest: request.id).flatMap({ model.lives[$0] }) else {
                Issue.record("request \(request.id) runs, and nobody knows it")
                continue
            }
            verify(life.running == nil, "a sequence runs two requests at once")
            verify(life.waiting.first?.id == request.id, "request \(request.id) overtook one of its own sequence")
            verify(life.place == SequenceModel.Place(instance: instance, slot: row.slot), "not its place")
        }
        if isDirect { checkDirect(batch) } else { checkOldest(batch) }
    }

    private func checkDirect(_ batch: SequenceBatch<SequencedRequest>) {
        let ready = model.ready(on: batch.instance)
        verify(batch.rows.map(\.slot) == Array(0..<batch.rows.count) && batch.rows.last?.request != nil)
        verify(mayRun(ready), "a batch ran too early")
        let oldest = ready.compactMap { $0.waiting.first }.map(\.enqueueTime).min()
        verify(batch.requests.contains { $0.enqueueTime == oldest }, "the oldest request was left behind")
        let shape = batch.requests.first?.shape
        verify(ready.count { $0.waiting.first?.shape == shape } == batch.requests.count || options.batchLimit == 1)
    }

    private func checkOldest(_ batch: SequenceBatch<SequencedRequest>) {
        guard case .oldest(_, let preferred, _, _) = options.strategy else { return }
        let ready = model.ready(on: batch.instance)
        let sizes = preferred.isEmpty ? [options.batchLimit] : preferred
        verify(mayRun(ready) || sizes.contains(batch.rows.count), "a batch ran too early")
        let turns = batch.requests.compactMap(\.turn)
        verify(turns.count == batch.rows.count && turns == turns.sorted(), "not in the order of the turns")
        let oldest = ready.map(\.readySince).min()
        let taken = batch.requests.compactMap { model.life(ofRequest: $0.id) }
        let hasOldest = taken.contains { model.lives[$0]?.readySince == oldest }
        verify(hasOldest || mixedShapes(ready), "the oldest request was left behind")
    }

    private func mixedShapes(_ ready: [SequenceModel.Life]) -> Bool {
        Set(ready.compactMap { $0.waiting.first?.shape }).count > 1
    }

    /// At the end: each request that was taken in has ended once, and no turn was left out.
    func checkFates(seed: UInt64) {
        verify(Set(fates.keys) == accepted, "seed \(seed)")
        verify(exited.count == options.instanceCount, "seed \(seed) left a worker asleep")
        for turns in turns.values { verify(turns == Set(0..<UInt64(turns.count)), "seed \(seed) left out a turn") }
    }
}
