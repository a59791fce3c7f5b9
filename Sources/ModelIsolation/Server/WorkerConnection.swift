private import CPlatform
private import Glibc
internal import Logging
internal import Synchronization
internal import Tensors
internal import Threads

/// One worker, from its start to its end: what is asked of it, and what it says unasked.
final class WorkerConnection: Sendable {
    /// What the server watches.
    struct Limits: Sendable {
        /// Bytes of resident memory; 0 for no limit.
        var memory: UInt64 = 0
    }

    private struct State {
        var answer: ControlAnswer?
        /// What the server had to end it for.
        var verdict: WorkerEnding?
        var ending: WorkerEnding?
        /// Batches that it had then.
        var batchesAtEnd = 0
    }

    /// How often it is looked at whether the worker stands still, and whether it takes too much memory, in nanoseconds.
    private var interval: UInt64 { limits.memory > 0 ? 100_000_000 : 500_000_000 }
    /// How long it may stand still, in nanoseconds.
    private static let stillness: UInt64 = 2_000_000_000

    let number: UInt64
    private static let nextNumber = Atomic<UInt64>(1)
    private let channel: FrameChannel
    private let process: any WorkerProcess
    private let limits: Limits
    private let log: Logger
    private let state = Locked(State())
    private let changed = Signal()
    private let calling = Locked(())
    /// Batches that it has at the moment.
    let batches = Atomic<Int>(0)
    /// Whether it has executed a batch of somebody's.
    let hasExecuted = Atomic<Bool>(false)
    private let willTell: @Sendable (WorkerConnection, WorkerEnding) -> Void
    private let whenEnded: @Sendable (WorkerConnection, WorkerEnding) -> Void

    /// Starts a worker.
    ///
    /// - Parameters:
    ///   - willTell: called once when it is gone, before anybody who waits for it is told: what is counted here is
    ///     counted before the batch that it had is answered.
    ///   - whenEnded: called once after that, on a thread of its own.
    /// - Throws: `unavailable` where the system starts none.
    init(
        launcher: any WorkerLauncher, title: String, limits: Limits, log: Logger,
        willTell: @escaping @Sendable (WorkerConnection, WorkerEnding) -> Void,
        whenEnded: @escaping @Sendable (WorkerConnection, WorkerEnding) -> Void
    ) throws(HalcyonError) {
        number = Self.nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
        self.limits = limits
        self.log = log
        self.willTell = willTell
        self.whenEnded = whenEnded
        let (channel, other) = try FrameChannel.pair()
        self.channel = channel
        do {
            defer { _ = Glibc.close(other) }
            process = try launcher.launch(control: other, title: title)
        }
        do {
            try WorkerThread.detach(name: "worker \(process.number)") { [self] in read() }
        } catch {
            process.kill()
            _ = process.wait()
            throw error
        }
    }

    var processNumber: Int32 { process.number }

    /// Why it is gone; `nil` while it is not.
    var ending: WorkerEnding? { state.withLock { $0.ending } }

    /// Whether it was gone with no more than one batch.
    var hadOneBatch: Bool { state.withLock { $0.ending != nil && $0.batchesAtEnd <= 1 } }

    /// Ends it, for that reason if it had not ended before.
    func end(_ verdict: WorkerEnding) {
        state.withLock { state in
            guard state.ending == nil else { return }
            state.verdict = state.verdict ?? verdict
        }
        process.kill()
        channel.shut()
    }

    /// Waits until it is gone.
    func waitForEnding() -> WorkerEnding {
        _ = changed.wait(until: nil, clock: SystemClock()) { self.state.withLock { $0.ending != nil } }
        return ending ?? .dismissed
    }

    /// One of its channels has ended: why, if it is about to end itself; otherwise it is ended for that.
    func endingAfterSilence() -> WorkerEnding {
        let patience = halcyon_monotonic_now() &+ 1_000_000_000
        let isGone = changed.wait(until: patience, clock: SystemClock()) { self.state.withLock { $0.ending != nil } }
        if !isGone { end(.fault("it closed an instance's channel")) }
        return waitForEnding()
    }

    /// Asks for something, and waits for the answer.
    ///
    /// - Parameter limit: nanoseconds that the worker may take; `nil` for as long as it takes.
    /// - Throws: what the worker says is wrong; `unavailable` where it ends.
    func call(
        _ request: ControlRequest, _ descriptors: [Int32] = [], limit: UInt64? = nil
    ) throws(HalcyonError) -> ControlAnswer {
        let frame = try request.frame()
        return try calling.withLock { (_) throws(HalcyonError) in
            state.withLock { $0.answer = nil }
            // Where nobody reads it, the end is about to be known.
            try? channel.send(frame, descriptors)
            let deadline = limit.map { halcyon_monotonic_now() &+ $0 }
            let isAnswered = changed.wait(until: deadline, clock: SystemClock()) {
                self.state.withLock { $0.answer != nil || $0.ending != nil }
            }
            if !isAnswered {
                end(.fault("it has not answered for \(WorkerEnding.duration(limit ?? 0)) while its model was made"))
                _ = waitForEnding()
            }
            let (answer, ending) = state.withLock { ($0.answer.take(), $0.ending) }
            switch answer {
            case .failed(let error): throw error
            case .some(let answer): return answer
            case nil: throw HalcyonError(.unavailable, "its worker process \((ending ?? .dismissed).words)")
            }
        }
    }

    // MARK: Reading

    /// Until the worker is gone.
    private func read() {
        var stopped: UInt64 = 0
        while true {
            do {
                let body = try channel.receive(until: halcyon_monotonic_now() &+ interval)
                try take(ControlAnswer(body))
            } catch FrameChannel.End.late {
                look(&stopped)
            } catch FrameChannel.End.fault(let fault) {
                end(.fault(fault.description))
                break
            } catch let fault as ProtocolFault {
                end(.fault(fault.description))
                break
            } catch {
                break
            }
        }
        // One that has closed its end without ending.
        process.kill()
        let own = process.wait()
        let ending = state.withLock { state in
            let ending = state.verdict ?? own
            state.verdict = ending
            return ending
        }
        willTell(self, ending)
        state.withLock { state in
            state.ending = ending
            state.batchesAtEnd = batches.load(ordering: .acquiring)
        }
        changed.notify()
        whenEnded(self, ending)
    }

    private func take(_ answer: ControlAnswer) {
        if case .log(let line) = answer {
            let level = Logger.Level(rawValue: line.level) ?? .info
            var metadata: Logger.Metadata = ["worker": "\(process.number)"]
            for (key, value) in line.metadata { metadata[key] = "\(value)" }
            return log.log(level: level, "\(line.message)", metadata: metadata)
        }
        state.withLock { $0.answer = answer }
        changed.notify()
    }

    private func look(_ stopped: inout UInt64) {
        guard process.number > 0 else { return }
        stopped = halcyon_is_stopped(process.number) ? stopped + interval : 0
        if stopped >= Self.stillness { end(.stopped) }
        guard limits.memory > 0 else { return }
        let bytes = halcyon_resident_bytes(process.number)
        if bytes > limits.memory { end(.memory(bytes: bytes, limit: limits.memory)) }
    }
}
