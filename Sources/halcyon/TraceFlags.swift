internal import ArgumentParser
internal import KServeProtocol
internal import NIOCore
internal import SpanExport
internal import Tensors

struct TraceFlags: ParsableArguments {
    @Option(
        name: .customLong("trace-config"),
        help: ArgumentHelp(
            """
            What is traced and where to: level=TIMESTAMPS or TENSORS, rate, count, mode=triton or opentelemetry; \
            triton,file=PATH and triton,log-frequency; opentelemetry,url=HOST:PORT/PATH, \
            opentelemetry,resource=NAME=VALUE, bsp_max_queue_size, bsp_max_export_batch_size and bsp_schedule_delay \
            (milliseconds). May be given several times.
            """, valueName: "mode,setting=value"))
    var traceConfig: [String] = []

    @Option(help: "Whether clients may change what is traced.")
    var allowTraceSettings = Switch(false)

    /// What the settings say.
    struct Parsed {
        var settings = TraceSettings()
        var export = SpanExporter.Options()
    }

    /// - Throws: `invalidArgument` that names the setting.
    func parsed() throws(HalcyonError) -> Parsed {
        var parsed = Parsed()
        var levels: [String] = []
        for text in traceConfig {
            guard let equals = text.firstIndex(of: "=") else {
                throw HalcyonError(
                    .invalidArgument, "--trace-config takes setting=value or mode,setting=value, got '\(text)'")
            }
            let name = String(text[..<equals])
            let value = String(text[text.index(after: equals)...])
            if name == "level" {
                levels.append(Self.level(value))
            } else {
                try Self.apply(name, value, to: &parsed)
            }
        }
        parsed.settings.levels = try TraceChange.levels(levels)
        if parsed.settings.mode == .opentelemetry, parsed.settings.levels.contains(.tensors) {
            throw HalcyonError(
                .invalidArgument, "--trace-config level=TENSORS is for mode=triton: spans hold no tensors")
        }
        return parsed
    }

    /// A level by the names that Triton's command line takes, in capitals or not, as the trace extension has it.
    private static func level(_ text: String) -> String {
        switch text.lowercased() {
        case "false", "off": "OFF"
        case "true", "on", "min", "max", "timestamps": "TIMESTAMPS"
        case "tensors": "TENSORS"
        default: text
        }
    }

    private static func apply(_ name: String, _ value: String, to parsed: inout Parsed) throws(HalcyonError) {
        switch name {
        case "rate": parsed.settings.rate = try number(name, value, 0...Int(UInt32.max))
        case "count": parsed.settings.count = try number(name, value, -1...Int(Int32.max))
        case "mode":
            guard let mode = TraceSettings.Mode(rawValue: value.lowercased()) else {
                throw HalcyonError(
                    .invalidArgument, "--trace-config mode is triton or opentelemetry, got '\(value)'")
            }
            parsed.settings.mode = mode
        case "triton,file": parsed.settings.file = value
        case "triton,log-frequency": parsed.settings.logFrequency = try number(name, value, 0...Int(UInt32.max))
        case "opentelemetry,url": parsed.export.url = value
        case "opentelemetry,resource":
            guard let equals = value.firstIndex(of: "=") else {
                throw HalcyonError(
                    .invalidArgument, "--trace-config opentelemetry,resource takes name=value, got '\(value)'")
            }
            let key = String(value[..<equals])
            parsed.export.resource.removeAll { $0.name == key }
            parsed.export.resource.append((key, String(value[value.index(after: equals)...])))
        case "opentelemetry,bsp_max_queue_size":
            parsed.export.maximumQueueSize = try number(name, value, 1...1_000_000)
        case "opentelemetry,bsp_max_export_batch_size":
            parsed.export.maximumBatchSize = try number(name, value, 1...1_000_000)
        case "opentelemetry,bsp_schedule_delay":
            parsed.export.delay = .milliseconds(Int64(try number(name, value, 1...86_400_000)))
        default:
            let names = [
                "level", "rate", "count", "mode", "triton,file", "triton,log-frequency", "opentelemetry,url",
                "opentelemetry,resource", "opentelemetry,bsp_max_queue_size", "opentelemetry,bsp_max_export_batch_size",
                "opentelemetry,bsp_schedule_delay",
            ]
            throw HalcyonError(
                .invalidArgument,
                "--trace-config has no setting '\(name)'; there are \(names.joined(separator: "; "))")
        }
    }

    private static func number(
        _ name: String, _ text: String, _ range: ClosedRange<Int>
    ) throws(HalcyonError) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw HalcyonError(
                .invalidArgument,
                "--trace-config \(name) takes \(range.lowerBound) to \(range.upperBound), got '\(text)'")
        }
        return value
    }
}
