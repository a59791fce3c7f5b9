internal import ArgumentParser
internal import ModelConversion

extension ConversionRequest.Preprocessing.Color: ExpressibleByArgument {}
extension ConversionRequest.Preprocessing.Resize: ExpressibleByArgument {}

/// How pictures become inputs: for quantisation, and inside the model.
struct ConversionPictureFlags: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("calibration")],
        help: ArgumentHelp(
            """
            For -t int8: a folder of pictures like those that the model will see (JPEG, PNG, BMP, WebP), some of \
            which are held back to judge the result; or of .npz files with the inputs' arrays; or a text file with a \
            path a line. For tensorrt a calibration cache.
            """, valueName: "path"))
    var calibration: String?

    @Option(
        name: [.customShort("b"), .customLong("calibration-batch")],
        help: ArgumentHelp("Accepted for the sake of scripts: pictures are looked at one by one.", valueName: "count"))
    var calibrationBatch: Int?

    @Flag(help: "Calibrate with the pictures mirrored, darker, brighter and cropped as well: where there are few.")
    var augmentCalibration = false

    @Option(
        help: ArgumentHelp(
            "Write nothing if the int8 result agrees less than this with the original: 0.02 allows 2 %.",
            valueName: "part"))
    var maxDrop: Double?

    @Flag(
        help: """
            Put the pre-processing into the model: it then takes pictures of any size, UINT8 with the channels last, \
            RGB, and the engine resizes and scales them.
            """)
    var embedPreprocessing = false

    @Option(
        help: ArgumentHelp(
            """
            What a channel's byte is multiplied with after --mean is subtracted: a number, or three with commas; by \
            default 1/255, or 1 where the model takes bytes.
            """, valueName: "numbers"))
    var scale: String?

    @Option(help: ArgumentHelp("What is subtracted from a channel's byte; 0 by default.", valueName: "numbers"))
    var mean: String?

    @Option(help: ArgumentHelp("The order of the model's channels, rgb by default.", valueName: "order"))
    var color: ConversionRequest.Preprocessing.Color?

    @Option(
        help: ArgumentHelp(
            "letterbox keeps a picture's proportions, stretch does not; by default what fits the model's outputs.",
            valueName: "way"))
    var resize: ConversionRequest.Preprocessing.Resize?

    func apply(to request: inout ConversionRequest) {
        request.calibration = calibration
        request.calibrationBatch = calibrationBatch
        request.augmentsCalibration = augmentCalibration
        request.maxDrop = maxDrop
        request.embedsPreprocessing = embedPreprocessing
        request.preprocessing.scale = scale
        request.preprocessing.mean = mean
        request.preprocessing.color = color
        request.preprocessing.resize = resize
    }
}
