package import Tensors

/// The head of an SSD with built-in NMS, as TensorFlow's detection models are exported: up to a fixed number of boxes
/// an item, as parts of the picture's height and width.
package struct SSDHead: DetectionHead {
    private static let (boxes, scores, classes, count) = (
        "detection_boxes", "detection_scores", "detection_classes", "num_detections"
    )

    private let hasClasses: Bool
    private let hasCount: Bool
    private let labels: [String]

    /// These models resize to their own size without regard to the aspect ratio.
    package var fit: Fit { .stretch }

    /// `nil` where the outputs have other names.
    ///
    /// - Parameter labels: by the model's class number, which begins at 1: the first label is the background.
    package init?(outputs: [(name: String, shape: TensorShape)], labels: [String]) {
        let names = Set(outputs.map(\.name))
        guard names.contains(Self.boxes), names.contains(Self.scores) else { return nil }
        hasClasses = names.contains(Self.classes)
        hasCount = names.contains(Self.count)
        self.labels = labels
    }

    package func detections(
        in outputs: [Tensor], item: Int, threshold: Float, inputWidth: Int, inputHeight: Int
    ) throws(HalcyonError) -> [Detection] {
        let scores = try row(item, of: Self.scores, in: outputs)
        let boxes = try row(item, of: Self.boxes, in: outputs)
        let classes =
            hasClasses ? try row(item, of: Self.classes, in: outputs) : Array(repeating: 1, count: scores.count)
        var count = scores.count
        if hasCount, let stated = try row(item, of: Self.count, in: outputs).first, stated >= 0 {
            count = Int(min(stated, Float(count)))
        }
        guard boxes.count == scores.count * 4, classes.count == scores.count else {
            throw HalcyonError(
                .invalidArgument,
                "an SSD's \(scores.count) scores come with \(scores.count * 4) box values and \(scores.count) "
                    + "classes, got \(boxes.count) and \(classes.count)")
        }
        var found: [Detection] = []
        for index in 0..<count where scores[index] >= threshold {
            let number = Int(exactly: classes[index].rounded()) ?? 0
            found.append(
                Detection(
                    label: DetectionHeads.label(number, labels), classIndex: number, score: scores[index],
                    box: Box(
                        left: boxes[4 * index + 1] * Float(inputWidth), top: boxes[4 * index] * Float(inputHeight),
                        right: boxes[4 * index + 3] * Float(inputWidth),
                        bottom: boxes[4 * index + 2] * Float(inputHeight))))
        }
        return found.sorted { $0.score > $1.score }
    }

    private func row(_ item: Int, of name: String, in outputs: [Tensor]) throws(HalcyonError) -> [Float] {
        let output = try DetectionHeads.output(name, outputs)
        let elements = try output.elements(as: Float.self)
        guard let items = output.shape.dimensions.first, items > 0, item >= 0, item < items else {
            throw HalcyonError(.invalidArgument, "output '\(name)' of shape \(output.shape) has no item \(item)")
        }
        let perItem = elements.count / items
        return Array(elements[item * perItem..<(item + 1) * perItem])
    }
}
