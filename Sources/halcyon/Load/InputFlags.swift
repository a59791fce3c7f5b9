internal import ArgumentParser
internal import LoadGeneration
internal import Tensors

/// What is in the requests that put a load on a model.
struct InputFlags: ParsableArguments {
    enum Content: String, WordFlag {
        case random
        case zero
    }

    @Option(help: "What inputs are made of: random or zero.")
    var input = Content.random

    @Option(
        name: .customLong("shape"),
        help: ArgumentHelp(
            "The sizes of an input of which the model leaves some open, without the batch; may be given several times.",
            valueName: "name:sizes"))
    var shapes: [String] = []

    @Option(help: "Letters in each random text.")
    var stringLength = 16

    @Option(help: ArgumentHelp("Inputs from a file, in perf_analyzer's JSON form.", valueName: "file"))
    var inputData: String?

    @Option(
        help: ArgumentHelp(
            "Pictures (JPEG, PNG) as inputs: as they are for a model that takes them so, resized for a detector.",
            valueName: "folder"))
    var pictures: String?

    @Option(name: [.customShort("b"), .customLong("batch")], help: "Items in each request.")
    var batch = 1

    @Option(help: "What random inputs and Poisson arrivals begin with.")
    var seed: UInt64 = 1

    func validate() throws {
        guard (1...1_000_000).contains(batch) else { throw ValidationError("--batch is a number from 1, got \(batch)") }
        guard (0...1_000_000).contains(stringLength) else {
            throw ValidationError("--string-length is a number from 0 to 1000000, got \(stringLength)")
        }
        if inputData != nil, pictures != nil {
            throw ValidationError("--input-data and --pictures do not go together")
        }
    }

    /// - Throws: `invalidArgument` for inputs that do not fit the model.
    func data(for model: ModelDescription) throws(HalcyonError) -> RequestData {
        let shapes = try InputShapes(parsing: shapes)
        if let inputData {
            let data = try InputDataFile.parse(
                try InputFile.read(inputData), name: inputData, for: model, shapes: shapes, batch: batch)
            for notice in data.notices { StandardError.write("note: \(notice)\n") }
            return data
        }
        if let pictures { return try PictureFolder.requests(pictures, for: model, batch: batch) }
        return try RequestData.made(
            for: model, batch: batch, shapes: shapes,
            by: TensorMaker(input == .zero ? .zero : .random, textLength: stringLength, seed: seed))
    }

    /// In a few words, for reports.
    var words: String {
        if let inputData { return "inputs of \(inputData)" }
        if let pictures { return "pictures of \(pictures)" }
        return input == .zero ? "inputs of zeros" : "random inputs"
    }
}
