public import CTriton
package import Logging
internal import Tensors
private import Threads

/// Where the lines go that backends and models log: a process has one log, its newest server's.
package enum InterfaceLog {
    private static let current = Locked<Logger?>(nil)

    package static func set(_ log: Logger) { current.withLock { $0 = log } }

    static var logger: Logger? { current.withLock { $0 } }

    /// `nil` for a number that is no level.
    static func level(_ level: TRITONSERVER_LogLevel) -> Logger.Level? {
        switch level {
        case TRITONSERVER_LOG_INFO: .info
        case TRITONSERVER_LOG_WARN: .warning
        case TRITONSERVER_LOG_ERROR: .error
        case TRITONSERVER_LOG_VERBOSE: .debug
        default: nil
        }
    }
}

@c @implementation public func TRITONSERVER_LogIsEnabled(_ level: TRITONSERVER_LogLevel) -> Bool {
    guard let log = InterfaceLog.logger, let level = InterfaceLog.level(level) else { return false }
    return level >= log.logLevel
}

@c @implementation public func TRITONSERVER_LogMessage(
    _ level: TRITONSERVER_LogLevel, _ filename: UnsafePointer<CChar>?, _ line: Int32, _ msg: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        guard let known = InterfaceLog.level(level) else {
            throw HalcyonError(.invalidArgument, "there is no log level \(level.rawValue), expected 0 to 3")
        }
        guard let log = InterfaceLog.logger, known >= log.logLevel else { return }
        let message = try text(msg, "msg")
        var metadata: Logger.Metadata = ["line": "\(filename.map { String(cString: $0) } ?? "?"):\(line)"]
        if let model = BackendCall.model { metadata["model"] = "\(model)" }
        log.log(level: known, "\(message)", metadata: metadata, source: "backend")
    }
}
