public import CTriton
internal import KServeProtocol
internal import Tensors
internal import TritonInterface

/// Changes the process's log; the options only have to be there.
private func changeLog(
    _ options: OpaquePointer?, _ body: (inout LogSettings.Values) throws(HalcyonError) -> Void
) throws(HalcyonError) {
    _ = try ServerOptionsObject.state(options)
    try ProgramLog.shared.change(body)
}

@c @implementation public func TRITONSERVER_ServerOptionsSetLogFile(
    _ options: OpaquePointer?, _ file: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let file = try text(file, "file")
        try changeLog(options) { $0.file = file }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetLogInfo(
    _ options: OpaquePointer?, _ log: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try changeLog(options) { $0.info = log } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetLogWarn(
    _ options: OpaquePointer?, _ log: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try changeLog(options) { $0.warning = log } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetLogError(
    _ options: OpaquePointer?, _ log: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try changeLog(options) { $0.error = log } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetLogVerbose(
    _ options: OpaquePointer?, _ level: Int32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        guard level >= 0 else {
            throw HalcyonError(.invalidArgument, "the verbose log level is \(level), expected a number from 0")
        }
        try changeLog(options) { $0.verbosity = Int(level) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetLogFormat(
    _ options: OpaquePointer?, _ format: TRITONSERVER_LogFormat
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        switch format {
        case TRITONSERVER_LOG_DEFAULT: try changeLog(options) { $0.format = "default" }
        case TRITONSERVER_LOG_ISO8601: try changeLog(options) { $0.format = "ISO8601" }
        default:
            throw HalcyonError(.invalidArgument, "there is no log format \(format.rawValue), expected 0 or 1")
        }
    }
}
