package import Tensors

/// The way between the shape that clients see (`dims`) and the one that the model has (`reshape`), both without the
/// batch.
package enum Reshape {
    /// Why the one can't become the other; `nil` where it can. As in Triton, both have the same number of open
    /// sizes, which stand for each other in their order, and the sizes between those hold as many elements.
    package static func complaint(from: TensorShape, to: TensorShape) -> String? {
        let (source, target) = (parts(from), parts(to))
        guard source.count == target.count else {
            return "\(from) has \(source.count - 1) open sizes, and \(to) has \(target.count - 1)"
        }
        guard source == target else { return "\(from) and \(to) hold different numbers of elements" }
        return nil
    }

    /// The numbers of elements between the open sizes; 0 for one that is over the machine's numbers.
    private static func parts(_ shape: TensorShape) -> [Int] {
        var parts = [1]
        for dimension in shape.dimensions {
            if dimension == TensorShape.variable {
                parts.append(1)
            } else {
                let (product, overflow) = parts[parts.count - 1].multipliedReportingOverflow(by: dimension)
                parts[parts.count - 1] = overflow ? 0 : product
            }
        }
        return parts
    }

    /// The shape that a tensor of shape `shape` gets, where `from` becomes `to`.
    package static func apply(_ shape: [Int], from: TensorShape, to: TensorShape) -> [Int] {
        var open: [Int] = []
        for (size, wanted) in zip(shape, from.dimensions) where wanted == TensorShape.variable { open.append(size) }
        var next = 0
        return to.dimensions.map { dimension in
            guard dimension == TensorShape.variable, next < open.count else { return dimension }
            defer { next += 1 }
            return open[next]
        }
    }
}
