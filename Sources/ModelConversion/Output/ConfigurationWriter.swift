internal import ModelConfigurations
internal import Tensors

/// The `config.pbtxt` of a converted model.
enum ConfigurationWriter {
    /// - Throws: `internal` where what is written would not read back, which names in a model can't bring about.
    static func text(_ job: ConversionJob, _ result: ConversionResult) throws(HalcyonError) -> String {
        let name = Files.lastName(job.destination.path)
        var configuration = ModelConfiguration(name: name)
        configuration.backend = job.request.target == .onnx ? "onnxruntime" : "openvino"
        configuration.maxBatchSize = result.maxBatch
        configuration.inputs = result.inputs.map(written)
        configuration.outputs = result.outputs.map(written)
        if job.request.target == .openVINO { configuration.parameters = result.engineParameters }
        let source = Files.lastName(job.source.path).map { $0.isNewline || !$0.isASCII ? "?" : String($0) }.joined()
        let comment =
            "# Made by halcyon convert from \(source) (\(job.source.format.title)) in "
            + "\(job.request.precision.rawValue)."
        let lines = ConfigurationText.lines(of: configuration).map(\.text)
        let text = ([comment] + lines).joined(separator: "\n") + "\n"
        let outcome = ConfigurationReader.read(Array(text.utf8), file: "config.pbtxt", modelName: name)
        guard outcome.configuration != nil else {
            let complaints = outcome.diagnostics.map(\.description).joined(separator: "; ")
            throw HalcyonError(.internal, "the configuration for the converted model is not valid: \(complaints)")
        }
        return text
    }

    /// A format says what three dimensions mean, and a tensor of one element an item has no dimensions of its own,
    /// where a configuration must have some.
    private static func written(_ tensor: TensorConfiguration) -> TensorConfiguration {
        var tensor = tensor
        if tensor.dimensions.rank != 3 { tensor.format = .none }
        if tensor.dimensions.rank == 0 {
            tensor.dimensions = [1]
            tensor.reshape = []
        }
        return tensor
    }
}
