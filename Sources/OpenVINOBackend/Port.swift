internal import COpenVINO
internal import ModelConfigurations
internal import Tensors

/// An input or an output of a model, as the engine describes it.
struct Port: Equatable, Sendable {
    /// The sizes that a dimension may take.
    struct Dimension: Equatable, Sendable {
        var minimum: Int64
        /// `nil` for no upper bound.
        var maximum: Int64?

        init(minimum: Int64, maximum: Int64?) {
            self.minimum = minimum
            self.maximum = maximum
        }

        /// As a configuration writes it: any size where it is negative.
        init(_ size: Int) { self = size < 0 ? .any : .exactly(Int64(size)) }

        static let any = Dimension(minimum: 0, maximum: nil)
        static func exactly(_ size: Int64) -> Dimension { Dimension(minimum: size, maximum: size) }

        /// The only size there is, or `nil` where there are several.
        var fixedSize: Int? { minimum == maximum ? Int(exactly: minimum) : nil }
    }

    enum Direction: String, Sendable {
        case input
        case output
    }

    /// The name that requests and the configuration use.
    var name: String
    var elementType: ElementType
    /// `nil` where not even the number of dimensions is known.
    var dimensions: [Dimension]?

    var signature: ModelSignature.Port {
        ModelSignature.Port(
            name: name, elementType: elementType,
            shape: dimensions.map { TensorShape($0.map { $0.fixedSize ?? TensorShape.variable }) })
    }
}
