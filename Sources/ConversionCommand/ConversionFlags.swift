internal import ArgumentParser
internal import ModelConversion

extension ConversionRequest.Target: ExpressibleByArgument {}
extension ConversionRequest.Precision: ExpressibleByArgument {}
extension ConversionRequest.Layout: ExpressibleByArgument {}

/// What a converted model is.
struct ConversionFlags: ParsableArguments {
    @Option(
        help: """
            openvino writes OpenVINO's own format (.xml and .bin); onnx an ONNX file with its graph optimised; \
            tensorrt a plan, by NVIDIA's trtexec where that is installed.
            """)
    var target = ConversionRequest.Target.openVINO

    @Option(
        name: [.customShort("t"), .customLong("precision")],
        help: ArgumentHelp(
            """
            fp32 and bf16 are computed in; fp16 halves the weights on the disk, and is computed in what the processor \
            is best at; int8 is quantised with the pictures of -c.
            """, valueName: "precision"))
    var precision = ConversionRequest.Precision.fp32

    @Option(
        name: [.customShort("d"), .customLong("input-dims")],
        help: ArgumentHelp(
            """
            The input's dimensions without the batch: 3,544,960; NAME=3,544,960 for one of several inputs, and then \
            once for each.
            """, valueName: "dims"))
    var dimensions: [String] = []

    @Option(
        name: [.customShort("i"), .customLong("input-layout")],
        help: ArgumentHelp(
            "nchw or nhwc: what clients shall send; the model is changed where it wants the other.", valueName: "layout"
        ))
    var layout: ConversionRequest.Layout?

    @Option(
        name: [.customShort("o"), .customLong("outputs")],
        help: ArgumentHelp(
            "The outputs in the wanted order, with commas between; by default all, as the model has them.",
            valueName: "names"))
    var outputs = ""

    @Option(
        name: [.customShort("m"), .customLong("max-batch")],
        help: ArgumentHelp(
            "The largest batch; 0 for a model that does not batch; by default what the model is made for.",
            valueName: "count"))
    var maxBatch: Int?

    @Option(
        name: [.customShort("p"), .customLong("profile")],
        help: ArgumentHelp(
            """
            The sizes that an input may have, with the batch: <input>,<min>,<opt>,<max>, \
            input_1,1x3x544x960,8x3x544x960,16x3x544x960 for instance; once for each input. <opt> is for tensorrt.
            """, valueName: "profile"))
    var profiles: [String] = []

    @Option(
        name: [.customShort("k"), .customLong("key")],
        help: ArgumentHelp(
            "The key of an encrypted .etlt, which is decrypted with NVIDIA's package nvidia-eff-tao-encryption.",
            valueName: "key"))
    var key: String?

    @Flag(
        help: """
            Write the model compiled as well, which loads faster, on this kind of processor and with this version of \
            OpenVINO only. Elsewhere the server says so and uses the model beside it.
            """)
    var compiled = false

    @Flag(help: "Run the original and the result on the same inputs, and print how far the outputs differ.")
    var verify = false

    func apply(to request: inout ConversionRequest) {
        request.target = target
        request.precision = precision
        request.dimensions = dimensions
        request.layout = layout
        request.outputs = outputs
        request.maxBatch = maxBatch
        request.profiles = profiles
        request.key = key
        request.isCompiled = compiled
        request.verifies = verify
    }
}
