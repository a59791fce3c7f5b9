/// One complaint about a configuration, and where.
public struct ConfigurationDiagnostic: Hashable, Sendable {
    /// How bad it is.
    public enum Severity: String, Hashable, Sendable {
        /// The model can't be loaded.
        case error
        /// It can, but probably does not do what was meant.
        case warning
    }

    /// How bad it is.
    public var severity: Severity
    /// The file, as its reader was given it.
    public var file: String
    /// From 1.
    public var line: Int
    /// From 1, in bytes, as Triton counts.
    public var column: Int
    /// `dynamic_batching.preferred_batch_size[1]`, for instance; empty for the file as a whole.
    public var fieldPath: String
    /// What is wrong, what was expected and what came.
    public var message: String
    /// What to do about it; empty where there is nothing to say.
    public var hint: String
}

extension ConfigurationDiagnostic: CustomStringConvertible {
    /// `config.pbtxt:2:17: error: max_batch_size: Expected integer, got: eight`, with the hint in brackets.
    public var description: String {
        let path = fieldPath.isEmpty ? "" : "\(fieldPath): "
        let hint = hint.isEmpty ? "" : " (\(hint))"
        return "\(file):\(line):\(column): \(severity.rawValue): \(path)\(message)\(hint)"
    }
}
