internal import KServeProtocol
internal import Logging
internal import Tensors
internal import Threads

/// The log of a process whose program knows servers by the C interface only. There is one, whatever servers there are,
/// and what programs say of it counts at once.
final class ProgramLog: Sendable {
    static let shared = ProgramLog()

    private let settings = LogSettings(LogSettings.Values(), isChangeAllowed: false)
    private let file = LogFile()
    private let turn = Locked(())
    let logger: Logger

    private init() {
        let (settings, file) = (settings, file)
        logger = Logger(label: "halcyon") { ServerLog(label: $0, settings: settings, file: file) }
    }

    /// - Throws: `invalidArgument` for a file that can't be written.
    func change(_ body: (inout LogSettings.Values) throws(HalcyonError) -> Void) throws(HalcyonError) {
        try turn.withLock { _ throws(HalcyonError) in
            var values = settings.values
            let path = values.file
            try body(&values)
            if values.file != path { try file.open(values.file) }
            settings.replace(values)
        }
    }
}
