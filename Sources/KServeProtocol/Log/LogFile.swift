private import Glibc
package import Tensors
internal import Threads

/// Where log lines go: standard error, unless it is opened for a file.
package final class LogFile: Sendable {
    private let descriptor = Locked(STDERR_FILENO)

    package init() {}

    deinit { Self.close(descriptor.withLock { $0 }) }

    /// Sends lines to another place from now on.
    ///
    /// - Parameter path: a file that they are added to; empty for standard error.
    /// - Throws: `invalidArgument` for a file that can't be written.
    package func open(_ path: String) throws(HalcyonError) {
        var opened = STDERR_FILENO
        if !path.isEmpty {
            opened = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            guard opened >= 0 else {
                throw HalcyonError(
                    .invalidArgument, "the log file '\(path)' can't be written: \(String(cString: strerror(errno)))")
            }
        }
        // Nobody writes meanwhile.
        descriptor.withLock { [opened] descriptor in
            Self.close(descriptor)
            descriptor = opened
        }
    }

    package func write(_ line: [UInt8]) {
        descriptor.withLock { descriptor in
            _ = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        }
    }

    private static func close(_ descriptor: Int32) {
        if descriptor != STDERR_FILENO { _ = Glibc.close(descriptor) }
    }
}
