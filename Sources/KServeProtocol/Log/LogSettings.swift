package import JSONText
internal import ModelRuntime
internal import Synchronization
package import Tensors
internal import Threads

/// What is logged and how; Triton's settings, which its logging extension shows and changes.
package final class LogSettings: Sendable {
    package struct Values: Hashable, Sendable {
        /// Where the log goes; empty for standard error.
        package var file = ""
        package var info = true
        package var warning = true
        package var error = true
        /// 0 for none; 1 and up for more and more.
        package var verbosity = 0
        /// `default`, `ISO8601` or `JSON`.
        package var format = "default"

        package init() {}
    }

    package static let formats = ["default", "ISO8601", "JSON"]

    private let state: Locked<Values>
    private let isChangeAllowed: Bool
    private let verbose: Atomic<Bool>

    /// Whether each request is logged; cheap to ask.
    package var logsRequests: Bool { verbose.load(ordering: .relaxed) }

    /// - Parameter isChangeAllowed: whether clients may change the settings.
    package init(_ values: Values, isChangeAllowed: Bool) {
        state = Locked(values)
        verbose = Atomic(values.verbosity > 0)
        self.isChangeAllowed = isChangeAllowed
    }

    package var values: Values { state.withLock { $0 } }

    /// Takes over settings of the operator's.
    package func replace(_ values: Values) {
        state.withLock { $0 = values }
        verbose.store(values.verbosity > 0, ordering: .relaxed)
    }

    /// Takes over the settings of a request; all of them or, where one is wrong, none.
    ///
    /// - Throws: `unsupported` where clients may not; `invalidArgument` that names the setting.
    package func change(_ settings: [String: JSONValue]) throws(HalcyonError) {
        guard !settings.isEmpty else { return }
        guard isChangeAllowed else {
            throw HalcyonError(
                .unsupported,
                "changing the log's settings is disabled. Start the server with '--allow-log-settings=true' to enable.")
        }
        var values = values
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
            switch name {
            case "log_info": values.info = try Self.flag(name, value)
            case "log_warning": values.warning = try Self.flag(name, value)
            case "log_error": values.error = try Self.flag(name, value)
            case "log_verbose_level":
                guard case .integer(let level) = value, (0...1_000_000).contains(level) else {
                    throw HalcyonError(
                        .invalidArgument, "log setting '\(name)' is a number from 0, got \(value.compact)")
                }
                values.verbosity = Int(level)
            case "log_format":
                guard case .string(let format) = value, Self.formats.contains(format) else {
                    throw HalcyonError(
                        .invalidArgument,
                        "log setting '\(name)' is one of \(Self.formats.joined(separator: ", ")), got \(value.compact)")
                }
                values.format = format
            case "log_file":
                throw HalcyonError(
                    .unsupported,
                    "log file location can not be updated through network protocol: updating log file was deprecated "
                        + "and no longer supported, and '--log-file' gives it at start")
            default: throw HalcyonError(.invalidArgument, "there is no log setting '\(name)'")
            }
        }
        state.withLock { [values] in $0 = values }
        verbose.store(values.verbosity > 0, ordering: .relaxed)
    }

    private static func flag(_ name: String, _ value: JSONValue) throws(HalcyonError) -> Bool {
        guard case .bool(let flag) = value else {
            throw HalcyonError(.invalidArgument, "log setting '\(name)' is true or false, got \(value.compact)")
        }
        return flag
    }

    package var json: JSONValue {
        let values = values
        return [
            "log_file": .string(values.file),
            "log_info": .bool(values.info),
            "log_warning": .bool(values.warning),
            "log_error": .bool(values.error),
            "log_verbose_level": .integer(Int64(values.verbosity)),
            "log_format": .string(values.format),
        ]
    }
}
