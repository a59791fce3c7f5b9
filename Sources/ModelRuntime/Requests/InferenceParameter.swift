/// A value beside the tensors: what a caller tells a model with a request, or a model its caller with a response.
public struct InferenceParameter: Hashable, Sendable {
    /// A parameter's value, as the protocol's wires have them.
    public enum Value: Hashable, Sendable {
        /// Yes or no.
        case bool(Bool)
        /// A whole number.
        case integer(Int64)
        /// A number that is too large for ``integer(_:)``.
        case unsigned(UInt64)
        /// A number with a fraction.
        case number(Double)
        /// A text.
        case string(String)
    }

    /// The name, as clients write it.
    public var name: String
    /// The value.
    public var value: Value

    /// A parameter of that name and value.
    public init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}
