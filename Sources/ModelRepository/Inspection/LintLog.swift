internal import Logging
internal import ModelRuntime
internal import Threads

/// Collects what a load says that an operator should know, in place of writing it to a log.
struct LintLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice
    let lines: Locked<[String]>

    /// What lint says by itself already, by the label of the log's line.
    private static let known: Set<String> = ["configuration", "repository"]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let label = "\(event.message)"
        guard event.level >= .notice, !Self.known.contains(label) else { return }
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
        if let notice = fields["notice"] { return lines.withLock { $0.append("\(notice)") } }
        let details = fields.filter { $0.key != "model" }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        lines.withLock { $0.append(details.isEmpty ? label : "\(label): \(details.joined(separator: ", "))") }
    }
}
