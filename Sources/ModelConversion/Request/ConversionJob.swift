internal import ModelConfigurations
package import Tensors

/// A conversion that has passed every check which needs no library: what the user asked for, against what the file
/// holds.
package struct ConversionJob: Sendable {
    package var request: ConversionRequest
    package var source: SourceModel
    package var destination: Destination
    package var dimensions: [InputDimensions]
    package var profiles: [ShapeProfile]
    package var outputs: [String]
    var scale: [Double]?
    var mean: [Double]?
    /// The absolute path of the pictures or the cache.
    var calibration: String?
    /// What the user should know: flags without a meaning here.
    package var notices: [String] = []

    /// - Throws: `HalcyonError` with the flag, what was expected and what came.
    package init(_ request: ConversionRequest) throws(HalcyonError) {
        self.request = request
        source = try SourceInspector.inspect(request.model, hasKey: request.key != nil)
        destination = try Destination(request, source: source)
        var dimensions: [InputDimensions] = []
        for text in request.dimensions { dimensions.append(try InputDimensions(text)) }
        self.dimensions = dimensions
        var profiles: [ShapeProfile] = []
        for text in request.profiles { profiles.append(try ShapeProfile(text)) }
        self.profiles = profiles
        outputs = try FlagList.names(request.outputs, flag: "-o")
        scale = try request.preprocessing.scale.map { text throws(HalcyonError) in
            try FlagList.numbers(text, flag: "--scale")
        }
        mean = try request.preprocessing.mean.map { text throws(HalcyonError) in
            try FlagList.numbers(text, flag: "--mean")
        }
        try checkRanges()
        try checkNames()
        try checkBatch()
        try checkKey()
        try checkCalibration()
        try checkPreprocessing()
        try checkTarget()
    }

    // MARK: Single flags

    private func checkRanges() throws(HalcyonError) {
        try Self.check("-m", request.maxBatch, 0...4096)
        try Self.check("-b", request.calibrationBatch, 1...1024)
        try Self.check("-w", request.workspace, 1...(1 << 50))
        try Self.check("--max-drop", request.maxDrop, 0...1)
        if request.maxDrop != nil, request.precision != .int8 {
            throw HalcyonError(.invalidArgument, "--max-drop judges what -t int8 makes, and this is -t \(precision)")
        }
    }

    private static func check<Number: Comparable>(
        _ flag: String, _ value: Number?, _ range: ClosedRange<Number>
    ) throws(HalcyonError) {
        guard let value, !range.contains(value) else { return }
        throw HalcyonError(
            .invalidArgument, "\(flag) takes \(range.lowerBound) to \(range.upperBound), got \(value)")
    }

    private var precision: String { request.precision.rawValue }

    // MARK: Names

    private func checkNames() throws(HalcyonError) {
        let inputs = source.inputs?.map(\.name)
        for (index, entry) in dimensions.enumerated() {
            if dimensions[..<index].contains(where: { $0.input == entry.input }) {
                throw HalcyonError(
                    .invalidArgument,
                    "-d gives the dimensions of \(entry.input.isEmpty ? "the input" : "'\(entry.input)'") twice")
            }
            if entry.input.isEmpty {
                guard let inputs, inputs.count > 1 else { continue }
                throw HalcyonError(
                    .invalidArgument,
                    "-d does not say of which input: the model has \(Self.list(inputs)); write -d NAME=C,H,W")
            }
            try Self.check("-d", entry.input, among: inputs, what: "input")
        }
        for (index, profile) in profiles.enumerated() {
            if profiles[..<index].contains(where: { $0.input == profile.input }) {
                throw HalcyonError(.invalidArgument, "-p gives the sizes of '\(profile.input)' twice")
            }
            try Self.check("-p", profile.input, among: inputs, what: "input")
            if let declared = source.inputs?.first(where: { $0.name == profile.input })?.dimensions,
                declared.count != profile.maximum.count
            {
                throw HalcyonError(
                    .invalidArgument,
                    "-p \(profile.input): the sizes have \(profile.maximum.count) dimensions, and the input has "
                        + "\(declared.count), \(TensorShape(declared)), with the batch")
            }
        }
        for output in outputs { try Self.check("-o", output, among: source.outputNames, what: "output") }
    }

    private static func check(
        _ flag: String, _ name: String, among known: [String]?, what: String
    ) throws(HalcyonError) {
        // TensorFlow's tensors are `<node>:<number>`, and users leave out `:0`.
        let short = name.hasSuffix(":0") ? String(name.dropLast(2)) : name
        guard let known, !known.contains(name), !known.contains(short), !known.contains(name + ":0") else { return }
        let hint = NameSuggestion.hint(for: name, among: known)
        let all = known.count <= 8 ? "; it has \(list(known))" : ""
        throw HalcyonError(
            .invalidArgument,
            "\(flag): the model has no \(what) '\(name)'" + (hint.isEmpty ? all : ", \(hint)"))
    }

    private static func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }

    // MARK: Flags together

    private mutating func checkBatch() throws(HalcyonError) {
        guard let first = profiles.first, let largest = first.maximum.first else { return }
        if let maxBatch = request.maxBatch, maxBatch != largest {
            throw HalcyonError(
                .invalidArgument,
                "-m is \(maxBatch), and the largest batch of -p \(first.input) is \(largest): leave one of them out")
        }
        if request.target != .tensorRT {
            notices.append(
                "the middle size of -p has no meaning for the target \(request.target.rawValue): one model runs all "
                    + "sizes from the smallest to the largest")
        }
    }

    private mutating func checkKey() throws(HalcyonError) {
        if source.format == .encrypted {
            guard let key = request.key, !key.isEmpty else {
                throw HalcyonError(
                    .invalidArgument,
                    "'\(request.model)' is encrypted: give the key that it was exported with, -k KEY (NVIDIA's own "
                        + "models say it on their page)")
            }
        } else if request.key != nil {
            notices.append("-k has no meaning: the model is not encrypted")
        }
    }

    private mutating func checkCalibration() throws(HalcyonError) {
        if let path = request.calibration {
            guard Files.kind(path) != nil else {
                throw HalcyonError(.notFound, "-c \(path): there is nothing of that name")
            }
            calibration = try Files.realPath(path)
        }
        if request.precision == .int8 {
            if request.calibration == nil, request.target != .tensorRT {
                throw HalcyonError(
                    .invalidArgument,
                    "-t int8 needs to see what the model will see: give a folder of pictures, -c FOLDER")
            }
            if request.calibrationBatch != nil, request.target != .tensorRT {
                notices.append("-b has no meaning here: the ranges are learned picture by picture")
            }
            return
        }
        let flags: [(String, Bool)] = [
            ("-c", request.calibration != nil), ("-b", request.calibrationBatch != nil),
            ("--augment-calibration", request.augmentsCalibration),
        ]
        for (flag, isGiven) in flags where isGiven {
            notices.append("\(flag) has no meaning for -t \(precision): only int8 is calibrated")
        }
    }

    private func checkPreprocessing() throws(HalcyonError) {
        let isUsed = request.embedsPreprocessing || request.precision == .int8 && request.target != .tensorRT
        guard request.preprocessing.isEmpty || isUsed else {
            throw HalcyonError(
                .invalidArgument,
                "--scale, --mean, --color and --resize are for --embed-preprocessing and for the pictures of -t int8")
        }
        guard request.embedsPreprocessing else { return }
        if request.target == .tensorRT {
            throw HalcyonError(.unsupported, "--embed-preprocessing changes the model, and trtexec takes it as it is")
        }
        if request.layout == .nchw {
            throw HalcyonError(
                .invalidArgument, "--embed-preprocessing takes pictures as they are, nhwc, and -i says nchw")
        }
        if !profiles.isEmpty {
            throw HalcyonError(
                .invalidArgument, "--embed-preprocessing takes pictures of any size, so -p can't bound them")
        }
    }

    private mutating func checkTarget() throws(HalcyonError) {
        if request.target != .tensorRT, request.workspace != nil {
            notices.append("-w has no meaning for the target \(request.target.rawValue): it takes the memory it needs")
        }
        switch request.target {
        case .openVINO: break
        case .onnx:
            guard source.format == .onnx || source.format == .encrypted else {
                throw HalcyonError(
                    .unsupported,
                    "--target onnx optimises ONNX, and '\(request.model)' is \(source.format.title): export it to "
                        + "ONNX first, or use --target openvino")
            }
            if request.precision == .bf16 {
                throw HalcyonError(
                    .unsupported,
                    "-t bf16: ONNX Runtime has no BF16 on the CPU; use fp32, fp16, int8, or --target openvino")
            }
            if request.isCompiled {
                throw HalcyonError(
                    .unsupported, "--compiled is for --target openvino: ONNX is compiled when it is loaded")
            }
        case .tensorRT: try TensorRTBuilder.check(self, notices: &notices)
        }
    }
}
