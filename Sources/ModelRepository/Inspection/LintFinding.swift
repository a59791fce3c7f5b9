internal import ModelConfigurations

/// Something that lint has to say of a model.
package struct LintFinding: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable {
        /// The model can't be served.
        case error
        /// It can, but probably does not do what was meant.
        case warning
        /// What an operator should know, and what could not be looked at.
        case note
    }

    package var model: String
    package var severity: Severity
    /// One sentence or more, with file, line and column where there is one.
    package var text: String

    package init(model: String, severity: Severity, text: String) {
        self.model = model
        self.severity = severity
        self.text = text
    }

    init(model: String, _ diagnostic: ConfigurationDiagnostic) {
        self.init(
            model: model, severity: diagnostic.severity == .error ? .error : .warning, text: diagnostic.description)
    }
}
