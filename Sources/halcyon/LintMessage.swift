internal import JSONText
internal import ModelConversion
internal import ModelRepository

/// One line from the process that opens models.
enum LintMessage: Hashable {
    /// A model is about to be opened.
    case opening(String)
    /// A model has been looked at.
    case looked(String, [LintFinding])
    case failed(String)

    var json: JSONValue {
        switch self {
        case .opening(let key): ["opening": .string(key)]
        case .looked(let key, let findings):
            [
                "looked": .string(key),
                "findings": .array(
                    findings.map { ["severity": .string($0.severity.rawValue), "text": .string($0.text)] }),
            ]
        case .failed(let message): ["failed": .string(message)]
        }
    }

    /// `nil` for a line that is none of these: an engine may write what it likes.
    init?(_ line: String) {
        guard let value = JSONValue(parsing: line) else { return nil }
        if let key = value["opening"]?.text {
            self = .opening(key)
        } else if let key = value["looked"]?.text, let findings = value["findings"]?.elements {
            self = .looked(
                key,
                findings.compactMap { finding in
                    guard let severity = finding["severity"]?.text.flatMap(LintFinding.Severity.init),
                        let text = finding["text"]?.text
                    else { return nil }
                    return LintFinding(model: key, severity: severity, text: text)
                })
        } else if let message = value["failed"]?.text {
            self = .failed(message)
        } else {
            return nil
        }
    }
}
