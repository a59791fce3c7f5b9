/// The one error of the engine: a code that a protocol can map to its own status, and a sentence for a person.
///
/// The sentence names the thing that was wrong, what was expected and what came.
public struct HalcyonError: Error, Hashable, Sendable {
    /// What kind of failure it is; the reference server's eight codes.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case unknown = "Unknown"
        case `internal` = "Internal"
        case notFound = "Not found"
        case invalidArgument = "Invalid argument"
        case unavailable = "Unavailable"
        case unsupported = "Unsupported"
        case alreadyExists = "Already exists"
        case cancelled = "Cancelled"
    }

    public var code: Code
    public var message: String
    /// After how many seconds it is worth to try again, where that is known.
    public var retryAfterSeconds: Int?

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension HalcyonError: CustomStringConvertible {
    public var description: String { "\(code.rawValue): \(message)" }
}

extension HalcyonError {
    /// Any error as a `HalcyonError`: one that already is one stays as it is, another becomes `.internal`.
    public init(wrapping error: any Error) {
        self = (error as? HalcyonError) ?? HalcyonError(.internal, "\(error)")
    }

    /// The same error with a sentence's beginning that says where it happened.
    public func prefixed(_ prefix: String) -> HalcyonError {
        var error = self
        error.message = "\(prefix)\(message)"
        return error
    }
}
