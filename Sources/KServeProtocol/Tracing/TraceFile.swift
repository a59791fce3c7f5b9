private import Dispatch
private import Glibc
internal import Logging
internal import ModelRuntime

/// The file that traces are written to, on a thread of its own.
///
/// The reference keeps all traces in memory until it stops where there is no log frequency; here the file grows as they
/// come. Read while it grows, it lacks the bracket at its end.
final class TraceFile: Sendable {
    private let path: String
    private let log: Logger
    private let queue = DispatchQueue(label: "halcyon.trace")
    private let state = Locked(State())

    private struct State {
        var descriptor: Int32 = -1
        var hasFailed = false
        /// What ends later is lost.
        var isClosed = false
        var nextIndex = 0
    }

    init(path: String, log: Logger) {
        self.path = path
        self.log = log
    }

    /// Appends traces to the file.
    func append(_ text: [UInt8]) {
        queue.async { [self] in
            state.withLock { state in
                guard !state.isClosed else { return }
                let isFirst = state.descriptor < 0
                if isFirst {
                    state.descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
                }
                write([isFirst ? UInt8(ascii: "[") : UInt8(ascii: ",")] + text, to: state.descriptor, &state)
            }
        }
    }

    /// Writes traces to the next of the numbered files.
    func writeNumbered(_ text: [UInt8]) {
        queue.async { [self] in
            state.withLock { state in
                guard !state.isClosed else { return }
                let path = "\(path).\(state.nextIndex)"
                state.nextIndex += 1
                let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
                write([UInt8(ascii: "[")] + text + [UInt8(ascii: "]")], to: descriptor, &state)
                if descriptor >= 0 { Glibc.close(descriptor) }
            }
        }
    }

    /// Ends the file, once everything is in it.
    func close() {
        queue.sync {
            state.withLock { state in
                state.isClosed = true
                guard state.descriptor >= 0 else { return }
                write([UInt8(ascii: "]"), UInt8(ascii: "\n")], to: state.descriptor, &state)
                Glibc.close(state.descriptor)
                state.descriptor = -1
            }
        }
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32, _ state: inout State) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                // Said once: a disk that is full stays full for a while.
                if !state.hasFailed {
                    log.error(
                        "traces can't be written",
                        metadata: ["file": "\(path)", "error": "\(String(cString: strerror(errno)))"])
                }
                state.hasFailed = true
                return
            }
            rest = rest.dropFirst(written)
        }
    }
}
