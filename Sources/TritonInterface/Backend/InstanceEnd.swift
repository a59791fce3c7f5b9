internal import CTriton
internal import Logging
internal import ModelRuntime
internal import Tensors
internal import Threads

/// Takes an instance apart, on a thread that may be left behind where its backend waits for a process that has gone.
///
/// One that went in the middle of a call to another model is left as it is: its backend waits for the process to take
/// the answer, on a thread that would find its memory gone.
final class InstanceEnd: Sendable {
    private let object: InstanceObject
    private let model: TritonModel
    private let processes: InstanceProcesses
    private let held: HeldRequests?

    /// How long a backend may take to take apart an instance whose process has gone.
    private static let patience: UInt64 = 10_000_000_000
    /// How long after the end of its process a backend may still begin a call for it; and how long before that the last
    /// one may have ended whose answer was not taken.
    private static let delay: UInt64 = 1_000_000_000

    init(_ object: InstanceObject, _ model: TritonModel, _ processes: InstanceProcesses, _ held: HeldRequests? = nil) {
        self.object = object
        self.model = model
        self.processes = processes
        self.held = held
    }

    func run() {
        guard processes.areWatched else { return finalize() }
        // At once: should its backend not come back, there may be nobody left to do it.
        if processes.loss != nil { processes.removeRegions() }
        let progress = Progress()
        processes.end { _ in progress.note { $0.hasLost = true } }
        do throws(HalcyonError) {
            try WorkerThread.detach(name: "finalize") { [self] in
                if wasCalling {
                    leave("it went in the middle of a call to another model")
                } else {
                    finalize()
                }
                progress.note { $0.isDone = true }
            }
        } catch {
            return finalize()
        }
        if progress.wait(patience: Self.patience) { return }
        leave("its backend does not come back from that")
    }

    /// Whether it has gone by itself, and may have been in a call to another model.
    private var wasCalling: Bool {
        guard processes.loss != nil else { return false }
        let clock = SystemClock()
        let time = clock.now()
        Parker().park(until: time.adding(Self.delay))
        return model.object.calls.wereAny(since: time.since(Self.delay))
    }

    /// Nobody takes it apart.
    private func leave(_ reason: String) {
        InterfaceLog.logger?.error(
            "an instance whose process has gone is not taken apart, and its memory stays as it is",
            metadata: [
                "model": "\(model.object.nameText)", "instance": "\(object.identity.name)", "reason": "\(reason)",
            ])
        processes.removeRegions()
        model.object.backend.end.end()
        _ = Unmanaged.passRetained(self)
    }

    private func finalize() {
        do throws(HalcyonError) {
            if let finalize = model.object.backend.library.instanceFinalize {
                try BackendCall.with(model: model.object) { () throws(HalcyonError) in
                    try ErrorObject.check(finalize(object.handle))
                }
            }
        } catch {
            InterfaceLog.logger?.error(
                "an instance was taken apart with an error",
                metadata: ["instance": "\(object.identity.name)", "error": "\(error)"])
        }
        processes.letEnd()
        held?.giveUpHandles()
    }

    /// How far it has come.
    private final class Progress: Sendable {
        struct State {
            var isDone = false
            var hasLost = false
        }

        private let state = Locked(State())
        private let changed = Signal()

        func note(_ change: (inout State) -> Void) {
            state.withLock { change(&$0) }
            changed.notify()
        }

        /// - Parameter patience: how long it is waited for once a process has gone, in nanoseconds.
        /// - Returns: whether it is done.
        func wait(patience: UInt64) -> Bool {
            let clock = SystemClock()
            _ = changed.wait(until: nil, clock: clock) { self.state.withLock { $0.isDone || $0.hasLost } }
            return changed.wait(until: clock.now().adding(patience), clock: clock) { self.state.withLock { $0.isDone } }
        }
    }
}
