private import Dispatch
private import Glibc
internal import Logging
internal import ModelRuntime
internal import Threads

/// The files that traces are written to as they end, on a thread of its own. Each is a whole JSON document at any time.
final class TraceFile: Sendable {
    /// Where a trace goes.
    enum Place: Hashable {
        /// The file of the settings itself.
        case main
        /// One of the numbered files, by a number that ``newPart()`` gave.
        case part(Int)
    }

    private let path: String
    private let log: Logger
    private let queue = DispatchQueue(label: "halcyon.trace")
    private let state = Locked(State())
    /// What only the queue's thread touches.
    private let documents = Locked<[Place: TraceDocument]>([:])

    private struct State {
        var parts = 0
        /// Traces that wait to be written.
        var waiting = 0
        /// Traces that were not written, since the log spoke of them.
        var lost = 0
        var hasFailed = false
        /// What ends later is lost.
        var isClosed = false
    }

    /// Traces that may wait: a disk may be slow.
    private static let waitingLimit = 10_000

    init(path: String, log: Logger) {
        self.path = path
        self.log = log
    }

    /// The number of another of the numbered files.
    func newPart() -> Int {
        state.withLock { state in
            defer { state.parts += 1 }
            return state.parts
        }
    }

    /// Adds a trace to a file; `text` makes its members of the list, on the thread that writes.
    func append(to place: Place, _ text: @escaping @Sendable () -> [UInt8]) {
        let hasRoom = state.withLock { state in
            guard !state.isClosed else { return false }
            guard state.waiting < Self.waitingLimit else {
                state.lost += 1
                return false
            }
            state.waiting += 1
            return true
        }
        guard hasRoom else { return }
        queue.async { [self] in
            let text = text()
            let failure: Int32 =
                text.isEmpty
                ? 0 : documents.withLock { $0[place, default: TraceDocument(path: path(of: place))].append(text) }
            state.withLock { $0.waiting -= 1 }
            note(failure)
        }
    }

    /// Nothing more comes for a numbered file.
    ///
    /// - Parameter becomesMain: whether it is to be the file of the settings, where nothing else is.
    func end(part: Int, becomesMain: Bool) {
        queue.async { [self] in
            documents.withLock { documents in
                guard var document = documents.removeValue(forKey: .part(part)) else { return }
                document.close(as: becomesMain && documents[.main] == nil ? path : nil)
            }
        }
    }

    /// What could not be kept of a trace: the memory for it is used up.
    func lost(_ count: Int = 1) { state.withLock { $0.lost += count } }

    /// Ends the files, once everything is in them.
    func close() {
        state.withLock { $0.isClosed = true }
        queue.sync {
            documents.withLock { documents in
                for place in documents.keys { documents[place]?.close() }
                documents = [:]
            }
        }
        let lost = state.withLock { $0.lost }
        if lost > 0 { log.error("traces are lost", metadata: ["file": "\(path)", "traces": "\(lost)"]) }
    }

    private func path(of place: Place) -> String {
        switch place {
        case .main: path
        case .part(let number): "\(path).\(number)"
        }
    }

    /// Says once that writing fails, as a disk that is full stays full for a while, and once what was lost by that.
    private func note(_ failure: Int32) {
        let (hadFailed, lost) = state.withLock { state in
            defer { state.hasFailed = failure != 0 }
            if failure != 0 { state.lost += 1 }
            let isOver = failure == 0 && state.hasFailed
            let lost = state.lost
            if isOver { state.lost = 0 }
            return (state.hasFailed, lost)
        }
        if failure != 0, !hadFailed {
            log.error(
                "traces can't be written, and are lost until they can",
                metadata: ["file": "\(path)", "error": "\(String(cString: strerror(failure)))"])
        } else if failure == 0, hadFailed {
            log.warning("traces are written again", metadata: ["file": "\(path)", "lost": "\(lost)"])
        }
    }
}
