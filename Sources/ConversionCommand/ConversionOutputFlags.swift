internal import ArgumentParser
internal import ModelConversion

/// Where a converted model goes: one of three.
struct ConversionOutputFlags: ParsableArguments {
    @Option(
        name: [.customShort("e"), .customLong("output-file")],
        help: ArgumentHelp(
            "The file to write: .xml (with .bin beside it), .onnx, or the plan.",
            valueName: "file"))
    var file: String?

    @Option(
        help: ArgumentHelp("The version's folder to write, repository/model/1 for instance.", valueName: "folder"))
    var outputVersion: String?

    @Option(
        help: ArgumentHelp(
            "The model's folder to write, with version 1 and a config.pbtxt: repository/model for instance.",
            valueName: "folder"))
    var outputModel: String?

    @Flag(
        help: """
            Replace what is there: a folder with all that is in it; with -e the file, and for openvino its .bin and \
            .blob. The model that is converted is never replaced.
            """)
    var overwrite = false

    func apply(to request: inout ConversionRequest) {
        request.outputFile = file
        request.outputVersion = outputVersion
        request.outputModel = outputModel
        request.overwrites = overwrite
    }
}
