internal import ModelConfigurations
package import ModelRuntime
internal import Tensors
internal import Vision

/// A detector's outputs in, boxes in the picture's own pixels out.
///
/// The inputs are the detector's outputs, by the names and shapes that they have there: `detection_boxes` and
/// `detection_scores` of an SSD, or coverage and boxes of DetectNet_v2. One more, TYPE_FP32 with `dims: [ 8 ]`, is what
/// ``ImagePreprocessingBackend`` says of the picture. The outputs are chosen by name: `boxes`, TYPE_FP32 `[ n, 4 ]`,
/// left, top, right and bottom; `scores`, TYPE_FP32 `[ n ]`; `classes`, TYPE_INT32 `[ n ]`; `labels`, TYPE_STRING `[ n
/// ]`; and `count`, TYPE_INT32 `[ 1 ]`, the rows that mean something: the best come first, the rest is zero.
/// Parameters: `threshold`, the least score (0.4), and `labels`, the classes' names, separated by commas.
package struct DetectionBoxesBackend: Backend {
    package init() {}

    package var name: String { "detection_boxes" }
    package var modelFilenames: [String] { [] }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        try DetectionBoxesModel(source.configuration)
    }
}

private final class DetectionBoxesModel: BackendModel {
    struct Plan: Sendable {
        var head: any DetectionHead
        var mapping: String
        var outputs: [TensorConfiguration]
        var rows: Int
        var threshold: Float
        var batches: Bool
    }

    /// Rows that outputs may have, as all are made, also those that mean nothing.
    private static let rowLimit = 100_000

    private let plan: Plan
    var mayRunOnCallerThread: Bool { true }

    init(_ configuration: ModelConfiguration) throws(HalcyonError) {
        func fault(_ what: String) -> HalcyonError {
            HalcyonError(.invalidArgument, "model '\(configuration.name)': the detection_boxes backend \(what)")
        }
        var threshold: Float = 0.4
        var labels: [String] = []
        for (name, value) in configuration.parameters.sorted(by: { $0.key < $1.key }) {
            switch name {
            case "labels": labels = value.split(separator: ",").map(String.init)
            case "threshold":
                guard let number = Float(value), (0...1).contains(number) else {
                    throw fault("takes a threshold from 0 to 1, got '\(value)'")
                }
                threshold = number
            default: throw fault("has no parameter '\(name)', only threshold and labels")
            }
        }
        let mappings = configuration.inputs.filter { $0.elementType == .fp32 && $0.dimensions == [8] }
        guard mappings.count == 1, let mapping = mappings.first else {
            throw fault("needs one input of TYPE_FP32 with dims: [ 8 ], the picture's mapping")
        }
        let detector = configuration.inputs.filter { $0.name != mapping.name }
        let head: any DetectionHead
        do {
            head = try DetectionHeads.select(
                outputs: detector.map { ($0.name, $0.dimensions.prepending(1)) }, labels: labels)
        } catch {
            throw error.prefixed("model '\(configuration.name)': ")
        }
        plan = Plan(
            head: head, mapping: mapping.name, outputs: configuration.outputs,
            rows: try Self.rows(configuration), threshold: threshold, batches: configuration.maxBatchSize > 0)
    }

    /// How many boxes the outputs have room for, which they must agree on.
    private static func rows(_ configuration: ModelConfiguration) throws(HalcyonError) -> Int {
        let forms: [String: (type: ElementType, last: [Int])] = [
            "boxes": (.fp32, [4]), "scores": (.fp32, []), "classes": (.int32, []), "labels": (.bytes, []),
        ]
        var rows: Int?
        for output in configuration.outputs {
            let sizes = output.dimensions.dimensions
            if output.name == "count", output.elementType == .int32, sizes == [1] { continue }
            guard let form = forms[output.name], output.elementType == form.type, let first = sizes.first, first > 0,
                Array(sizes.dropFirst()) == form.last, rows == nil || rows == first
            else {
                throw HalcyonError(
                    .invalidArgument,
                    "model '\(configuration.name)': output '\(output.name)' is none that the detection_boxes backend "
                        + "has: boxes FP32 [n,4], scores FP32 [n], classes INT32 [n], labels STRING [n], count INT32 "
                        + "[1], with the same n")
            }
            rows = first
        }
        guard rows ?? 0 <= rowLimit else {
            throw HalcyonError(
                .invalidArgument,
                "model '\(configuration.name)': the detection_boxes backend gives up to \(rowLimit) boxes, and the "
                    + "outputs have room for \(rows ?? 0)")
        }
        return rows ?? 0
    }

    func makeInstance(_ identity: InstanceIdentity) -> any ModelInstance { DetectionBoxesInstance(plan) }
}

private final class DetectionBoxesInstance: ModelInstance {
    private let plan: DetectionBoxesModel.Plan

    init(_ plan: DetectionBoxesModel.Plan) { self.plan = plan }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        var inputs = batch.inputs
        if !plan.batches { for index in inputs.indices { inputs[index].shape = inputs[index].shape.prepending(1) } }
        let mappings = try batch.input(plan.mapping).elements(as: Float.self)
        var found: [[Detection]] = []
        for item in 0..<batch.batchSize {
            let values = Array(mappings[item * 8..<item * 8 + 8])
            guard let mapping = PictureMapping(Array(values.prefix(6))),
                let width = Int(exactly: values[6]), let height = Int(exactly: values[7])
            else { throw HalcyonError(.invalidArgument, "the mapping \(values) is none") }
            let detections = try plan.head.detections(
                in: inputs, item: item, threshold: plan.threshold, inputWidth: width, inputHeight: height)
            found.append(
                detections.prefix(plan.rows == 0 ? detections.count : plan.rows).map { detection in
                    var detection = detection
                    detection.box = mapping.toPicture(detection.box)
                    return detection
                })
        }
        return try plan.outputs.map { try output($0, found) }
    }

    private func output(_ output: TensorConfiguration, _ found: [[Detection]]) throws(HalcyonError) -> Tensor {
        let shape = plan.batches ? output.dimensions.prepending(found.count) : output.dimensions
        func padded<Element>(_ values: (Detection) -> [Element], _ empty: [Element]) -> [Element] {
            found.flatMap { detections in
                detections.flatMap(values)
                    + Array(repeating: empty, count: plan.rows - detections.count).flatMap { $0 }
            }
        }
        switch output.name {
        case "boxes":
            return try Tensor(
                name: output.name, shape: shape,
                padded({ [$0.box.left, $0.box.top, $0.box.right, $0.box.bottom] }, [0, 0, 0, 0] as [Float]))
        case "scores": return try Tensor(name: output.name, shape: shape, padded({ [$0.score] }, [0 as Float]))
        case "classes":
            return try Tensor(
                name: output.name, shape: shape, padded({ [Int32(clamping: $0.classIndex)] }, [0 as Int32]))
        case "labels":
            let bytes = padded({ Self.element($0.label) }, Self.element(""))
            return try Tensor(name: output.name, elementType: .bytes, shape: shape, data: TensorBuffer(copying: bytes))
        default:
            return try Tensor(name: output.name, shape: shape, found.map { Int32(clamping: $0.count) })
        }
    }

    /// A text as an element of a tensor: its length, and its bytes.
    private static func element(_ text: String) -> [UInt8] {
        withUnsafeBytes(of: UInt32(clamping: text.utf8.count).littleEndian) { Array($0) } + Array(text.utf8)
    }
}
