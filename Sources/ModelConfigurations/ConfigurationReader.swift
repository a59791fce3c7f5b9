public import Tensors

/// Reads `config.pbtxt`, and the same in JSON.
public enum ConfigurationReader {
    /// How a configuration is written down.
    public enum Form: Hashable, Sendable {
        /// Protobuf's text format.
        case text
        /// Protobuf's JSON format, with the field names of the schema.
        case json
    }

    /// The largest file that is read, in bytes.
    public static let maximumByteCount = 4 << 20

    /// What came of a file.
    public struct Outcome: Sendable {
        /// The values; `nil` where there is an error among the diagnostics.
        public var configuration: ModelConfiguration?
        /// All complaints, in the order of the file.
        public var diagnostics: [ConfigurationDiagnostic]
    }

    /// Reads a configuration. Never fails: what is wrong is in the diagnostics, all of it at
    /// once.
    ///
    /// - Parameters:
    ///   - bytes: the file's content.
    ///   - file: its name, for the diagnostics.
    ///   - modelName: the name of the model's folder, which is the model's name; empty for a file that lies in none,
    ///     whose
    ///     own name of the model then counts.
    ///   - form: how it is written.
    public static func read(_ bytes: [UInt8], file: String, modelName: String, form: Form = .text) -> Outcome {
        guard bytes.count <= maximumByteCount else {
            var list = DiagnosticList(file: file)
            list.error(
                "the file has \(bytes.count) bytes, and at most \(maximumByteCount) are read", at: TextPosition())
            return Outcome(configuration: nil, diagnostics: list.diagnostics)
        }
        let message: ConfigurationMessage
        let complaints: DiagnosticList
        switch form {
        case .text:
            var parser = TextParser(bytes, file: file)
            message = parser.parse()
            complaints = parser.diagnostics
        case .json: (message, complaints) = JSONConfigurationParser.parse(bytes, file: file)
        }
        var decoder = ConfigurationDecoder(modelName: modelName, diagnostics: complaints)
        var configuration = decoder.decode(message)
        if modelName.isEmpty { configuration.name = message.string("name") }
        let diagnostics = decoder.diagnostics.diagnostics.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
        let hasErrors = diagnostics.contains { $0.severity == .error }
        return Outcome(configuration: hasErrors ? nil : configuration, diagnostics: diagnostics)
    }

    /// Reads a configuration that must be right.
    ///
    /// - Throws: `invalidArgument` with every error, a line each.
    public static func configuration(
        _ bytes: [UInt8], file: String, modelName: String, form: Form = .text
    ) throws(HalcyonError) -> (configuration: ModelConfiguration, warnings: [ConfigurationDiagnostic]) {
        let outcome = read(bytes, file: file, modelName: modelName, form: form)
        guard let configuration = outcome.configuration else {
            let errors = outcome.diagnostics.filter { $0.severity == .error }
            throw HalcyonError(.invalidArgument, errors.map(\.description).joined(separator: "\n"))
        }
        return (configuration, outcome.diagnostics)
    }
}
