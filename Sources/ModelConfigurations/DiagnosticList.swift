/// Gathers the complaints about one file.
struct DiagnosticList {
    let file: String
    private(set) var diagnostics: [ConfigurationDiagnostic] = []
    /// A file that is not a configuration at all would complain without end.
    static let limit = 100

    init(file: String) { self.file = file }

    mutating func error(_ message: String, at position: TextPosition, _ path: String = "", hint: String = "") {
        add(.error, message, at: position, path, hint: hint)
    }

    mutating func warning(_ message: String, at position: TextPosition, _ path: String = "", hint: String = "") {
        add(.warning, message, at: position, path, hint: hint)
    }

    private mutating func add(
        _ severity: ConfigurationDiagnostic.Severity, _ message: String, at position: TextPosition, _ path: String,
        hint: String
    ) {
        guard diagnostics.count < Self.limit else { return }
        diagnostics.append(
            ConfigurationDiagnostic(
                severity: severity, file: file, line: position.line, column: position.column, fieldPath: path,
                message: message, hint: hint))
    }

    var isFull: Bool { diagnostics.count >= Self.limit }
}
