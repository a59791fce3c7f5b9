package import JSONText
package import Tensors

/// Which requests are traced and what becomes of the traces; Triton's settings.
package struct TraceSettings: Hashable, Sendable {
    /// Where traces go.
    package enum Mode: String, Hashable, Sendable {
        /// Into a file, in Triton's JSON.
        case triton
        /// To a collector, as spans.
        case opentelemetry
    }

    /// What a trace shows; nothing at all is *off*.
    package struct Levels: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let timestamps = Levels(rawValue: 1)
        package static let tensors = Levels(rawValue: 2)
    }

    package var levels: Levels = []
    /// One of so many requests is traced; 0 for none but those that a caller's own trace brings.
    package var rate = 1000
    /// How many requests are traced from now on; −1 for no end.
    package var count = -1
    /// After how many traces a file is written, `file.0`, `file.1` and so on; 0 for one file, `file`.
    package var logFrequency = 0
    package var file = ""
    package var mode = Mode.triton

    package init() {}

    /// Why no request can be traced with these; `nil` where some can.
    var obstacle: String? {
        if levels.isEmpty { return "tracing is disabled" }
        guard mode == .triton else { return nil }
        if rate == 0 { return "sample rate must be non-zero" }
        return file.isEmpty ? "trace file name is not given" : nil
    }

    // MARK: As texts

    /// A setting's value as the trace extension shows it.
    package enum Text: Hashable, Sendable {
        case one(String)
        case list([String])
    }

    /// The settings by name, in Triton's order.
    package var texts: [(name: String, value: Text)] {
        var texts: [(name: String, value: Text)] = [
            ("trace_level", .list(levelNames)), ("trace_rate", .one(String(rate))),
            ("trace_count", .one(String(count))),
        ]
        if mode == .triton {
            texts += [("log_frequency", .one(String(logFrequency))), ("trace_file", .one(file))]
        }
        texts.append(("trace_mode", .one(mode.rawValue)))
        return texts
    }

    private var levelNames: [String] {
        if levels.isEmpty { return ["OFF"] }
        return (levels.contains(.timestamps) ? ["TIMESTAMPS"] : []) + (levels.contains(.tensors) ? ["TENSORS"] : [])
    }

    package var json: JSONValue {
        .object(
            texts.map { text in
                switch text.value {
                case .one(let value): .init(text.name, .string(value))
                case .list(let values): .init(text.name, .array(values.map(JSONValue.string)))
                }
            })
    }
}

/// What a request of the trace extension changes: each setting is set, or falls back on what applies more generally.
package struct TraceChange: Hashable, Sendable {
    package enum Value<Wrapped: Hashable & Sendable>: Hashable, Sendable {
        /// As it was.
        case kept
        /// To what applies more generally.
        case cleared
        case set(Wrapped)
    }

    package var levels = Value<TraceSettings.Levels>.kept
    package var rate = Value<Int>.kept
    package var count = Value<Int>.kept
    package var logFrequency = Value<Int>.kept

    package init() {}

    /// - Parameter values: the texts of each setting; none to clear it.
    /// - Throws: `invalidArgument` that names the setting; `unsupported` for those that only the command line has.
    package init(_ values: [String: [String]]) throws(HalcyonError) {
        for (name, texts) in values.sorted(by: { $0.key < $1.key }) {
            switch name {
            case "trace_file":
                throw HalcyonError(
                    .unsupported, "trace file location can not be updated through network protocol")
            case "trace_mode":
                throw HalcyonError(.unsupported, "trace mode can not be updated through network protocol")
            case "trace_level": levels = texts.isEmpty ? .cleared : .set(try Self.levels(texts))
            case "trace_rate": rate = try Self.number(name, texts, 0...Int(UInt32.max))
            case "trace_count": count = try Self.number(name, texts, -1...Int(Int32.max))
            case "log_frequency": logFrequency = try Self.number(name, texts, 0...Int(UInt32.max))
            default: throw HalcyonError(.invalidArgument, "there is no trace setting '\(name)'")
            }
        }
    }

    package static func levels(_ names: [String]) throws(HalcyonError) -> TraceSettings.Levels {
        if names == ["OFF"] { return [] }
        var levels: TraceSettings.Levels = []
        for name in names {
            switch name {
            case "TIMESTAMPS": levels.insert(.timestamps)
            case "TENSORS": levels.insert(.tensors)
            case "OFF": throw HalcyonError(.invalidArgument, "Expect only one trace level 'OFF' is specified")
            default:
                throw HalcyonError(
                    .invalidArgument, "'\(name)' is no trace level, which are OFF, TIMESTAMPS and TENSORS")
            }
        }
        return levels
    }

    package static func number(
        _ name: String, _ texts: [String], _ range: ClosedRange<Int>
    ) throws(HalcyonError) -> Value<Int> {
        guard let text = texts.first else { return .cleared }
        guard texts.count == 1 else {
            throw HalcyonError(.invalidArgument, "expect only 1 value for '\(name)'")
        }
        guard let value = Int(text) else {
            throw HalcyonError(.invalidArgument, "Unable to parse '\(name)', got: \(text)")
        }
        guard range.contains(value) else {
            throw HalcyonError(
                .invalidArgument,
                "Unable to parse '\(name)', value is out of range [ \(range.lowerBound), \(range.upperBound) ], got: "
                    + "\(text)"
            )
        }
        return .set(value)
    }
}

/// What was set for a model, or for all of them, over what applies more generally.
struct TraceOverlay: Hashable {
    var levels: TraceSettings.Levels?
    var rate: Int?
    var count: Int?
    var logFrequency: Int?

    var isEmpty: Bool { self == TraceOverlay() }

    mutating func apply(_ change: TraceChange) {
        Self.apply(change.levels, to: &levels)
        Self.apply(change.rate, to: &rate)
        Self.apply(change.count, to: &count)
        Self.apply(change.logFrequency, to: &logFrequency)
    }

    private static func apply<Wrapped>(_ value: TraceChange.Value<Wrapped>, to field: inout Wrapped?) {
        switch value {
        case .kept: break
        case .cleared: field = nil
        case .set(let value): field = value
        }
    }

    func over(_ settings: TraceSettings) -> TraceSettings {
        var settings = settings
        settings.levels = levels ?? settings.levels
        settings.rate = rate ?? settings.rate
        settings.count = count ?? settings.count
        settings.logFrequency = logFrequency ?? settings.logFrequency
        return settings
    }
}
