/// The models of these tests: each shows one property that a model can have.
enum TestModels {
    /// `doubled = x + x`.
    static func doubling(_ dimensions: [Int], type: String = "f32", names: [String] = ["doubled"]) throws -> String {
        var model = IRModel()
        let input = model.parameter("x", type, dimensions)
        model.result(model.sum(input, input, names: names))
        return try model.write()
    }

    /// The output is the input itself.
    static func identity(_ dimensions: [Int], type: String = "f32") throws -> String {
        var model = IRModel()
        model.result(model.parameter("x", type, dimensions))
        return try model.write()
    }

    /// The positions of the elements that are not zero: as many columns as there are such elements.
    static func nonZero() throws -> String {
        var model = IRModel()
        let input = model.parameter("x", "f32", [-1])
        let output = IRModel.Output(names: ["positions"], type: "i64", dimensions: [1, -1])
        model.result(
            model.add(
                .init(
                    type: "NonZero", opset: "opset3", data: ["output_type": "i64"], inputs: [input], output: output)))
        return try model.write()
    }

    /// `sum = x + constant`, where the constant has as many rows as `x`: no other number of rows works.
    static func fixedBatch(_ rows: Int) throws -> String {
        var model = IRModel()
        let input = model.parameter("x", "f32", [rows, 2])
        let constant = model.constant((0..<rows * 2).map { Float($0) * 100 }, [rows, 2])
        model.result(model.sum(input, constant, names: ["sum"]))
        return try model.write()
    }

    /// Two outputs of one input: `doubled = x + x` and `tripled = x + doubled`.
    static func twoOutputs(rows: Int = -1) throws -> String {
        var model = IRModel()
        let input = model.parameter("x", "f32", [rows, 2])
        let doubled = model.sum(input, input, names: ["doubled"])
        model.result(doubled)
        model.result(model.sum(input, doubled, names: ["tripled"]))
        return try model.write()
    }

    /// A model whose tensors have no names.
    static func nameless() throws -> String {
        var model = IRModel()
        let input = model.parameter("", "f32", [-1, 2])
        model.result(model.sum(input, input, names: []))
        return try model.write()
    }
}
