/// The dimensions of a tensor, outermost first. In a specification, −1 is a dimension of any size.
public struct TensorShape: Hashable, Sendable {
    /// The size that stands for *any* in a specification.
    public static let variable = -1

    /// The sizes, outermost first; empty for a single number.
    public var dimensions: [Int]

    /// A shape of these sizes. They are not checked here: ``elementCount()`` does that.
    public init(_ dimensions: [Int]) { self.dimensions = dimensions }

    /// The number of dimensions; 0 for a single number.
    public var rank: Int { dimensions.count }

    /// Whether a dimension is open (−1).
    public var isVariable: Bool { dimensions.contains(where: { $0 < 0 }) }

    /// The number of elements.
    ///
    /// - Throws: `invalidArgument` for a negative dimension, or where the product does not fit an `Int`.
    public func elementCount() throws(HalcyonError) -> Int {
        var count = 1
        var isEmpty = false
        for dimension in dimensions {
            guard dimension >= 0 else {
                throw HalcyonError(.invalidArgument, "shape \(self) has the negative dimension \(dimension)")
            }
            if dimension == 0 { isEmpty = true }
            let (product, overflow) = count.multipliedReportingOverflow(by: max(dimension, 1))
            guard !overflow else {
                throw HalcyonError(.invalidArgument, "shape \(self) has more elements than fit into 64 bits")
            }
            count = product
        }
        return isEmpty ? 0 : count
    }

    /// The bytes that a tensor of this shape takes.
    ///
    /// - Throws: `invalidArgument` for a negative dimension, a size over 63 bits, or `type` `bytes`, whose elements
    ///   differ in length.
    public func byteCount(of type: ElementType) throws(HalcyonError) -> Int {
        let elements = try elementCount()
        guard let size = type.byteSize else {
            throw HalcyonError(
                .invalidArgument, "the byte size of a \(type.rawValue) tensor does not follow from its shape")
        }
        let (bytes, overflow) = elements.multipliedReportingOverflow(by: size)
        guard !overflow else {
            throw HalcyonError(
                .invalidArgument, "a \(type.rawValue) tensor of shape \(self) is larger than 63 bits can say")
        }
        return bytes
    }

    /// Whether `concrete` fits this specification: the same rank, and equal wherever this is not −1.
    public func accepts(_ concrete: TensorShape) -> Bool {
        rank == concrete.rank && zip(dimensions, concrete.dimensions).allSatisfy { $0 == Self.variable || $0 == $1 }
    }

    /// This shape with another dimension in front.
    public func prepending(_ dimension: Int) -> TensorShape { TensorShape([dimension] + dimensions) }
}

extension TensorShape: ExpressibleByArrayLiteral {
    /// A shape of these sizes, outermost first.
    public init(arrayLiteral elements: Int...) { self.init(elements) }
}

extension TensorShape: CustomStringConvertible {
    /// `[1,3,544,960]`, the way Triton's error texts print a shape.
    public var description: String { "[" + dimensions.map(String.init).joined(separator: ",") + "]" }
}
