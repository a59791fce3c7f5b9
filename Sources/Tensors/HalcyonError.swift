/// The one error of the library: a code that a protocol can map to its own status, and a sentence for a person.
///
/// The sentence names the thing that was wrong, what was expected and what came.
public struct HalcyonError: Error, Sendable {
    /// What kind of failure it is.
    public var code: Code
    /// What was wrong, for a person.
    public var message: String
    /// How long to wait before it is worth trying again, in whole seconds from 1; `nil` where that is not known.
    public var retryAfter: Duration?
    /// The error that this one comes from, where another library or a backend threw it: ``message`` says what it says.
    /// `nil` where there is none. Two errors that differ in nothing else are equal.
    public var cause: (any Error)?

    /// - Parameters:
    ///   - message: names the thing that was wrong, what was expected and what came.
    ///   - cause: the error that this one comes from; `nil` for none.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension HalcyonError: Hashable {
    /// Whether code, message and time to wait are the same.
    public static func == (left: HalcyonError, right: HalcyonError) -> Bool {
        left.code == right.code && left.message == right.message && left.retryAfter == right.retryAfter
    }

    /// Hashes what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(message)
        hasher.combine(retryAfter)
    }
}

extension HalcyonError: CustomStringConvertible {
    /// The code's name, a colon and the message.
    public var description: String { "\(code): \(message)" }
}

extension HalcyonError {
    /// Any error as a `HalcyonError`: one that already is one stays as it is; another becomes the cause of one with the
    /// code ``Code/internal``.
    public init(wrapping error: any Error) {
        self = (error as? HalcyonError) ?? HalcyonError(.internal, "\(error)", cause: error)
    }

    /// The same error with a beginning of its sentence that says where it happened.
    public func prefixed(_ prefix: String) -> HalcyonError {
        reworded("\(prefix)\(message)")
    }

    /// The same error in other words.
    package func reworded(_ message: String) -> HalcyonError {
        var error = self
        error.message = message
        return error
    }
}
