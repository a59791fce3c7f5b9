/// What requests must have in common to share a batch, beyond the model: the sizes of all dimensions that the model
/// leaves open, in order. Empty for a model whose dimensions are fixed.
package struct ShapeKey: Hashable, Sendable {
    package static let fixed = ShapeKey([])

    package var openDimensions: [Int]

    package init(_ openDimensions: [Int]) { self.openDimensions = openDimensions }
}
