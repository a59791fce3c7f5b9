internal import Logging

/// Sends what the worker logs to the server, whose log it belongs into.
struct WorkerLog: LogHandler {
    let channel: FrameChannel
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(channel: FrameChannel, logLevel: Logger.Level) {
        self.channel = channel
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var texts: [String: String] = [:]
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }) {
            texts[key] = "\(value)"
        }
        let line = ControlAnswer.Line(level: event.level.rawValue, message: "\(event.message)", metadata: texts)
        guard let frame = try? ControlAnswer.log(line).frame() else { return }
        try? channel.send(frame)
    }
}
