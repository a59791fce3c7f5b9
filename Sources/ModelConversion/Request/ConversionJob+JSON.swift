internal import JSONText

extension ConversionJob {
    /// The order to the worker.
    ///
    /// - Parameters:
    ///   - output: the absolute path of the empty folder that it may write into.
    ///   - threads: the processors that it may use.
    func order(output: String, threads: Int) -> JSONValue {
        // What goes on to TensorRT is decrypted and nothing more: the rest is TensorRT's.
        let isDecryption = request.target == .tensorRT
        var members: [JSONValue.Member] = [
            .init("model", .string(source.path)), .init("format", .string(source.format.rawValue)),
            .init("target", .string(isDecryption ? "onnx" : request.target.rawValue)),
            .init("output_dir", .string(output)),
            .init("model_file", .string(isDecryption ? "model.onnx" : destination.modelFile)),
            .init("precision", .string(isDecryption ? "fp32" : request.precision.rawValue)),
            .init("threads", .integer(Int64(threads))),
        ]
        if let container = source.container {
            members.append(
                .init(
                    "etlt",
                    [
                        "input_name": .string(container.inputName),
                        "payload_offset": .integer(Int64(container.payloadOffset)), "key": .string(request.key ?? ""),
                    ]))
        }
        if isDecryption {
            members.append(.init("portable", true))
            return .object(members)
        }
        members += [
            .init("input_dims", .object(dimensions.map { .init($0.input, Self.sizes($0.sizes)) })),
            .init("layout", request.layout.map { .string($0.rawValue) } ?? .null),
            .init("outputs", .array(outputs.map(JSONValue.string))),
            .init("max_batch", request.maxBatch.map { .integer(Int64($0)) } ?? .null),
            .init("profiles", .array(profiles.map(Self.profile))),
            .init("calibration", request.precision == .int8 ? calibrationOrder : .null),
            .init("embed_preprocessing", request.embedsPreprocessing ? preprocessingOrder : .null),
            .init("compiled", .bool(request.isCompiled)), .init("verify", .bool(request.verifies)),
            .init("max_drop", request.maxDrop.map(JSONValue.number) ?? .null),
        ]
        return .object(members)
    }

    private static func sizes(_ sizes: [Int]) -> JSONValue { .array(sizes.map { .integer(Int64($0)) }) }

    private static func profile(_ profile: ShapeProfile) -> JSONValue {
        [
            "input": .string(profile.input), "min": sizes(profile.minimum), "opt": sizes(profile.optimum),
            "max": sizes(profile.maximum),
        ]
    }

    private var calibrationOrder: JSONValue {
        [
            "path": calibration.map(JSONValue.string) ?? .null,
            "batch": .integer(Int64(request.calibrationBatch ?? 8)), "augment": .bool(request.augmentsCalibration),
            "preprocessing": preprocessingOrder,
        ]
    }

    private var preprocessingOrder: JSONValue {
        var members: [JSONValue.Member] = []
        if let scale { members.append(.init("scale", Self.channels(scale))) }
        if let mean { members.append(.init("mean", Self.channels(mean))) }
        if let color = request.preprocessing.color { members.append(.init("color", .string(color.rawValue))) }
        if let resize = request.preprocessing.resize { members.append(.init("resize", .string(resize.rawValue))) }
        return .object(members)
    }

    /// One number counts for all three channels.
    private static func channels(_ numbers: [Double]) -> JSONValue {
        .array((numbers.count == 1 ? Array(repeating: numbers[0], count: 3) : numbers).map(JSONValue.number))
    }
}
