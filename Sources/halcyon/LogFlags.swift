internal import ArgumentParser
internal import KServeProtocol

struct LogFlags: ParsableArguments {
    @Option(help: "0 for none; 1 logs each request, more logs more.")
    var logVerbose = 0

    @Option(help: "Whether to log what happens.")
    var logInfo = Switch(true)

    @Option(help: "Whether to log warnings.")
    var logWarning = Switch(true)

    @Option(help: "Whether to log errors.")
    var logError = Switch(true)

    @Option(
        help: "default (I1126 15:04:05.123456 PID File.swift:12] text), ISO8601 (2026-11-26T15:04:05Z I …) or JSON.")
    var logFormat = "default"

    @Option(help: ArgumentHelp("Where to log to, in place of standard error.", valueName: "file"))
    var logFile = ""

    @Option(help: "Whether clients may change these settings.")
    var allowLogSettings = Switch(false)

    func validate() throws {
        guard LogSettings.formats.contains(logFormat) else {
            throw ValidationError(
                "--log-format is one of \(LogSettings.formats.joined(separator: ", ")), got \(logFormat)")
        }
        guard logVerbose >= 0 else { throw ValidationError("--log-verbose is a number from 0, got \(logVerbose)") }
    }

    var settings: LogSettings {
        var values = LogSettings.Values()
        values.file = logFile
        values.info = logInfo.isOn
        values.warning = logWarning.isOn
        values.error = logError.isOn
        values.verbosity = logVerbose
        values.format = logFormat
        return LogSettings(values, isChangeAllowed: allowLogSettings.isOn)
    }
}

struct LimitFlags: ParsableArguments {
    @Option(help: "Connections that each port takes at the same time.")
    var maxConnections = 65_536

    @Option(
        help: """
            Bytes that the server holds at the same time for its clients: bodies, decompressed and made into tensors, \
            answers until they are taken, traces; 0 for a quarter of the memory that it may use.
            """)
    var maxInflightBytes = 0

    @Option(help: "How deep arrays and objects of a JSON text may be nested.")
    var maxJsonDepth = 64

    @Option(help: "Inputs that a request may bring.")
    var maxRequestInputs = 1024

    @Option(help: "Outputs that a request may name.")
    var maxRequestOutputs = 1024

    @Option(help: "Classes that an output may be given as, for all items of a request together.")
    var maxRequestClasses = 1_000_000

    @Option(help: "Whether clients may use shared memory of this machine.")
    var allowClientShm = Switch(false)

    func validate() throws {
        try FlagRange.check("max-connections", maxConnections, 1...Int.max)
        try FlagRange.check("max-inflight-bytes", maxInflightBytes, 0...Int.max / 2)
        try FlagRange.check("max-json-depth", maxJsonDepth, 1...1000)
        try FlagRange.check("max-request-inputs", maxRequestInputs, 1...Int.max)
        try FlagRange.check("max-request-outputs", maxRequestOutputs, 1...Int.max)
        try FlagRange.check("max-request-classes", maxRequestClasses, 1...Int.max)
    }
}
