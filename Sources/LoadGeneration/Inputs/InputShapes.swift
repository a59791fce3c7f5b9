package import Tensors

/// The shapes that inputs have in requests: the model's own, and for open dimensions what `--shape` says.
package struct InputShapes: Hashable, Sendable {
    private let given: [String: TensorShape]

    package static let none = InputShapes(given: [:])

    private init(given: [String: TensorShape]) { self.given = given }

    /// - Parameter texts: each `NAME:1,3,224,224`.
    /// - Throws: `invalidArgument` for one that is not of this form.
    package init(parsing texts: [String]) throws(HalcyonError) {
        var given: [String: TensorShape] = [:]
        for text in texts {
            // Names may have colons; the sizes have none.
            guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else { throw Self.fault(text) }
            let sizes = text[text.index(after: colon)...].split(separator: ",", omittingEmptySubsequences: false)
            let dimensions = sizes.compactMap { Int($0) }.filter { $0 >= 0 }
            guard dimensions.count == sizes.count else { throw Self.fault(text) }
            given[String(text[..<colon])] = TensorShape(dimensions)
        }
        self.given = given
    }

    private static func fault(_ text: String) -> HalcyonError {
        HalcyonError(
            .invalidArgument,
            "--shape takes an input's name and its sizes, INPUT0:3,224,224 for instance, got '\(text)'")
    }

    /// An input's shape without the batch dimension.
    ///
    /// - Parameter batch: the batch size, for a shape that is given with it.
    /// - Throws: `invalidArgument` for a shape that is open, or one that does not fit the model.
    package func shape(
        of port: ModelDescription.Port, in model: ModelDescription, batch: Int
    ) throws(HalcyonError) -> TensorShape {
        guard let given = given[port.name] else {
            guard port.shape.isVariable else { return port.shape }
            let example = port.shape.dimensions.map { String($0 < 0 ? 16 : $0) }.joined(separator: ",")
            throw HalcyonError(
                .invalidArgument,
                "input '\(port.name)' of model '\(model.name)' has the shape \(port.shape), where -1 is any size: "
                    + "say which with --shape \(port.name):\(example), or give the data with --input-data")
        }
        if port.shape.accepts(given) { return given }
        if model.maxBatchSize > 0, given.dimensions.first == batch {
            let item = TensorShape(Array(given.dimensions.dropFirst()))
            if port.shape.accepts(item) { return item }
        }
        throw HalcyonError(
            .invalidArgument,
            "--shape \(port.name):\(given.dimensions.map { String($0) }.joined(separator: ",")) does not fit: model "
                + "'\(model.name)' takes \(port.shape) for it, where -1 is any size")
    }

    /// - Throws: `invalidArgument` for a name that no input has.
    package func check(_ model: ModelDescription) throws(HalcyonError) {
        for name in given.keys.sorted() where !model.inputs.contains(where: { $0.name == name }) {
            let names = model.inputs.map { "'\($0.name)'" }.joined(separator: ", ")
            throw HalcyonError(
                .invalidArgument, "--shape: model '\(model.name)' has no input '\(name)', but \(names)")
        }
    }
}
