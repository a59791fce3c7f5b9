/// A value beside the tensors: what a caller tells a model with a request, or a model its caller with a response.
public struct InferenceParameter: Hashable, Sendable {
    /// A parameter's value, as the protocol's wires have them.
    public enum Value: Hashable, Sendable {
        case bool(Bool)
        case integer(Int64)
        /// A number that is too large for ``integer(_:)``.
        case unsigned(UInt64)
        case number(Double)
        case string(String)
    }

    public var name: String
    public var value: Value

    public init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}
