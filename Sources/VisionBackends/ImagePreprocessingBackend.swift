internal import ModelConfigurations
package import ModelRuntime
internal import Tensors
internal import Vision

/// Encoded pictures in, a network's input out: decode, resize, RGB, layout, element type.
///
/// The configuration says it all. The one input is TYPE_STRING with `dims: [ 1 ]`: a JPEG or PNG file. The first output
/// is the network's input: TYPE_FP32 (0 to 1) or TYPE_UINT8, `[ 3, height, width ]` or `[ height, width, 3 ]`. A second
/// output, TYPE_FP32 with `dims: [ 8 ]`, is the way back for boxes (``DetectionBoxesBackend``): how many of the
/// picture's pixels one of the network's is, across and down; where the picture's upper left corner lies in the
/// network's input, x and y; the picture's width and height; and the network's. The parameter `fit` is `letterbox` (the
/// default) or `stretch`; `max_pixels` says how large pictures may be (100,000,000 by default).
package struct ImagePreprocessingBackend: Backend {
    package init() {}

    package var name: String { "image_preprocessing" }
    package var modelFilenames: [String] { [] }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        try ImagePreprocessingModel(source.configuration)
    }
}

private final class ImagePreprocessingModel: BackendModel {
    /// The largest picture that is made, far beyond any network's input.
    private static let byteLimit = 1 << 30

    private let plan: PreprocessingPlan
    private let image: TensorConfiguration
    private let mapping: TensorConfiguration?
    private let batches: Bool
    private let limits: PictureLimits

    init(_ configuration: ModelConfiguration) throws(HalcyonError) {
        func fault(_ what: String) -> HalcyonError {
            HalcyonError(.invalidArgument, "model '\(configuration.name)': the image_preprocessing backend \(what)")
        }
        guard configuration.inputs.count == 1, let input = configuration.inputs.first, input.elementType == .bytes,
            input.dimensions == [1]
        else { throw fault("needs one input of TYPE_STRING with dims: [ 1 ], an encoded picture") }
        guard let image = configuration.outputs.first, configuration.outputs.count <= 2 else {
            throw fault("needs an output for the picture, and may have one for its mapping")
        }
        mapping = configuration.outputs.dropFirst().first
        if let mapping, mapping.elementType != .fp32 || mapping.dimensions != [8] {
            throw fault("needs TYPE_FP32 and dims: [ 8 ] for its second output '\(mapping.name)'")
        }
        var fit = Fit.letterbox
        var limits = PictureLimits()
        for (name, value) in configuration.parameters.sorted(by: { $0.key < $1.key }) {
            switch (name, value) {
            case ("fit", "letterbox"): fit = .letterbox
            case ("fit", "stretch"): fit = .stretch
            case ("max_pixels", _):
                guard let pixels = Int(value), (1...limits.maxPixels).contains(pixels) else {
                    throw fault("takes 1 to \(limits.maxPixels) for the parameter 'max_pixels', got '\(value)'")
                }
                limits.maxPixels = pixels
            default:
                throw fault(
                    "has no parameter '\(name)' with the value '\(value)', only fit: letterbox or stretch, and "
                        + "max_pixels"
                )
            }
        }
        self.limits = limits
        do {
            plan = try PreprocessingPlan(elementType: image.elementType, dimensions: image.dimensions, fit: fit)
        } catch {
            throw error.prefixed("model '\(configuration.name)', output '\(image.name)': ")
        }
        let byteCount = try image.dimensions.byteCount(of: image.elementType)
        guard byteCount <= Self.byteLimit else {
            throw fault("makes pictures of up to \(Self.byteLimit) bytes; output '\(image.name)' has \(byteCount)")
        }
        self.image = image
        batches = configuration.maxBatchSize > 0
    }

    func makeInstance(_ identity: InstanceIdentity) -> any ModelInstance {
        ImagePreprocessingInstance(
            plan: plan, image: image, mapping: mapping, batches: batches, limits: limits)
    }
}

private final class ImagePreprocessingInstance: ModelInstance {
    private let plan: PreprocessingPlan
    private let image: TensorConfiguration
    private let mapping: TensorConfiguration?
    private let batches: Bool

    private let limits: PictureLimits

    init(
        plan: PreprocessingPlan, image: TensorConfiguration, mapping: TensorConfiguration?, batches: Bool,
        limits: PictureLimits
    ) {
        self.limits = limits
        self.plan = plan
        self.image = image
        self.mapping = mapping
        self.batches = batches
    }

    /// For a warm-up without a picture of its own.
    private func blank() throws(HalcyonError) -> Picture {
        try Picture(width: 1, height: 1, pixels: TensorBuffer(copying: [0, 0, 0] as [UInt8]))
    }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        let files = try BytesElements.all(of: batch.inputs[0])
        let itemSize = try image.dimensions.byteCount(of: image.elementType)
        let (size, overflow) = itemSize.multipliedReportingOverflow(by: files.count)
        guard !overflow else { throw HalcyonError(.invalidArgument, "\(files.count) pictures are too many at once") }
        let storage = TensorStorage.allocate(byteCount: size)
        var mappings: [Float] = []
        for (index, file) in files.enumerated() {
            let picture =
                batch.isWarmUp && file.byteCount == 0
                ? try blank()
                : try file.withUnsafeBytes {
                    try PictureDecoder.decode($0, name: "item \(index)", limits: limits)
                }
            let (item, mapping) = plan.run(picture)
            item.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                (storage.baseAddress + index * itemSize).copyMemory(from: source, byteCount: bytes.count)
            }
            mappings += mapping.values + [Float(plan.width), Float(plan.height)]
        }
        let shape = { (dimensions: TensorShape) in self.batches ? dimensions.prepending(files.count) : dimensions }
        var outputs = [
            try Tensor(
                name: image.name, elementType: image.elementType, shape: shape(image.dimensions),
                data: TensorBuffer(storage))
        ]
        if let mapping { outputs.append(try Tensor(name: mapping.name, shape: shape([8]), mappings)) }
        return outputs
    }
}
