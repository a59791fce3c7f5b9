private import Glibc
private import JSONText
package import Logging
package import Tensors

/// Writes log lines as the settings say, to standard error or to a file.
package struct ServerLog: LogHandler {
    package var metadata: Logger.Metadata = [:]
    /// The settings decide, and may change at any time: this is the least of what they let through.
    package var logLevel: Logger.Level {
        get {
            let values = settings.values
            if values.verbosity > 0 { return values.verbosity > 1 ? .trace : .debug }
            if values.info { return .info }
            return values.warning ? .warning : .error
        }
        set {}
    }

    private let label: String
    private let settings: LogSettings
    private let file: LogFile

    /// - Throws: `invalidArgument` for a file that can't be written.
    package static func factory(
        _ settings: LogSettings
    ) throws(HalcyonError) -> @Sendable (String) -> any LogHandler {
        let file = LogFile()
        try file.open(settings.values.file)
        return { label in ServerLog(label: label, settings: settings, file: file) }
    }

    package init(label: String, settings: LogSettings, file: LogFile) {
        self.label = label
        self.settings = settings
        self.file = file
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let values = settings.values
        guard isWanted(event.level, values) else { return }
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        var line: String
        if values.format == "JSON" {
            var members = [
                JSONValue.Member("time", .string(Self.time(iso: true))),
                .init("level", .string(event.level.rawValue)), .init("message", .string("\(event.message)")),
                .init("source", .string(Self.place(event))),
            ]
            members += fields.map { .init($0.key, .string("\($0.value)")) }
            line = JSONValue.object(members).compact
        } else {
            let letter = Self.letter(event.level)
            line = values.format == "ISO8601" ? "\(Self.seconds()) \(letter)" : "\(letter)\(Self.time(iso: false))"
            line += " \(getpid()) \(Self.place(event))] \(Self.onOneLine("\(event.message)"))"
            for field in fields { line += " \(field.key)=\(Self.quoted("\(field.value)"))" }
        }
        line += "\n"
        file.write(Array(line.utf8))
    }

    private func isWanted(_ level: Logger.Level, _ values: LogSettings.Values) -> Bool {
        switch level {
        case .trace: values.verbosity > 1
        case .debug: values.verbosity > 0
        case .info, .notice: values.info
        case .warning: values.warning
        case .error, .critical: values.error
        }
    }

    /// Triton's letters, of which there are three.
    private static func letter(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug, .info, .notice: "I"
        case .warning: "W"
        case .error, .critical: "E"
        }
    }

    /// The file and the line that it comes from, `ModelLoader.swift:180`.
    private static func place(_ event: LogEvent) -> String {
        "\(event.file.split(separator: "/").last ?? "unknown"):\(event.line)"
    }

    /// A text that can't pass for a line of its own.
    private static func onOneLine(_ text: String) -> String {
        text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } ? JSONValue.string(text).compact : text
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" }
        return isPlain && !text.isEmpty ? text : JSONValue.string(text).compact
    }

    /// `2026-11-23T15:04:05Z`, as Triton writes it in its format ISO8601.
    private static func seconds() -> String { time(iso: true).prefix { $0 != "." } + "Z" }

    /// The time of day in UTC: `2026-11-23T15:04:05.123456Z`, or `1123 15:04:05.123456`.
    private static func time(iso: Bool) -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        let digits = { (number: Int, width: Int) -> String in
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let (month, day) = (digits(Int(parts.tm_mon) + 1, 2), digits(Int(parts.tm_mday), 2))
        let clock = "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
        let fraction = digits(now.tv_nsec / 1000, 6)
        return iso
            ? "\(Int(parts.tm_year) + 1900)-\(month)-\(day)T\(clock).\(fraction)Z"
            : "\(month)\(day) \(clock).\(fraction)"
    }
}
