private import CPlatform
private import Glibc
internal import Tensors
internal import Threads

/// Tells when processes end. One thread waits for all of them, from the first on.
final class ProcessWatcher: Sendable {
    static let shared = ProcessWatcher()

    private struct Watched {
        var descriptor: Int32
        var process: Int32
        var ended: @Sendable (Int32) -> Void
    }

    private struct State {
        var watched: [UInt64: Watched] = [:]
        var nextNumber: UInt64 = 0
        /// Its writing end has the thread look again; `nil` before the first process.
        var wakeUp: Int32?
        /// Closed by the thread, which may be waiting for them.
        var leftOver: [Int32] = []
    }

    private let state = Locked(State())

    /// Has that called once, when the process has ended.
    ///
    /// - Returns: what ends the watching; `nil` where the system can't say when a process ends.
    func watch(_ process: Int32, _ ended: @escaping @Sendable (Int32) -> Void) -> UInt64? {
        guard let descriptor = ChildProcesses.descriptor(of: process) else { return nil }
        return state.withLock { state in
            guard let wakeUp = state.wakeUp ?? start(&state) else {
                close(descriptor)
                return nil
            }
            let number = state.nextNumber
            state.nextNumber += 1
            state.watched[number] = Watched(descriptor: descriptor, process: process, ended: ended)
            Self.wake(wakeUp)
            return number
        }
    }

    /// Does not tell any more, unless it is about to.
    func forget(_ number: UInt64) {
        state.withLock { state in
            guard let watched = state.watched.removeValue(forKey: number) else { return }
            state.leftOver.append(watched.descriptor)
            if let wakeUp = state.wakeUp { Self.wake(wakeUp) }
        }
    }

    private func start(_ state: inout State) -> Int32? {
        var ends: [Int32] = [-1, -1]
        guard halcyon_pipe(&ends) == 0 else { return nil }
        // A pipe that is full wakes the thread as well.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        do {
            let reading = ends[0]
            try WorkerThread.detach(name: "processes") { [self] in run(reading) }
        } catch {
            for end in ends { close(end) }
            return nil
        }
        state.wakeUp = ends[1]
        return ends[1]
    }

    private static func wake(_ descriptor: Int32) {
        var byte: UInt8 = 0
        _ = write(descriptor, &byte, 1)
    }

    private func run(_ reading: Int32) {
        while true {
            let (numbers, descriptors) = state.withLock { state in
                for descriptor in state.leftOver { close(descriptor) }
                state.leftOver = []
                let watched = state.watched.map { ($0.key, $0.value.descriptor) }
                return (watched.map(\.0), watched.map(\.1))
            }
            var waits = ([reading] + descriptors).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&waits, nfds_t(waits.count), -1) > 0 else { continue }
            if waits[0].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 512)
                _ = read(reading, &bytes, bytes.count)
            }
            for (number, wait) in zip(numbers, waits.dropFirst()) where wait.revents != 0 {
                let ended = state.withLock { state in
                    let watched = state.watched.removeValue(forKey: number)
                    if let watched { state.leftOver.append(watched.descriptor) }
                    return watched
                }
                if let ended { ended.ended(ended.process) }
            }
        }
    }
}
