package import Tensors

/// Turns a detector's outputs into detections.
package protocol DetectionHead: Sendable {
    /// How the detector expects a picture to be brought to its size.
    var fit: Fit { get }

    /// What the detector found in one item of a batch, in pixels of the network's input, best first.
    ///
    /// - Throws: `invalidArgument` where the outputs are not those of such a detector.
    func detections(
        in outputs: [Tensor], item: Int, threshold: Float, inputWidth: Int, inputHeight: Int
    ) throws(HalcyonError) -> [Detection]
}

/// Chooses the head that a model's outputs call for.
package enum DetectionHeads {
    /// - Parameters:
    ///   - outputs: names and complete shapes, with the batch dimension first.
    ///   - labels: a label a class; classes beyond get their number for a name.
    /// - Throws: `unsupported` that names the outputs.
    package static func select(
        outputs: [(name: String, shape: TensorShape)], labels: [String]
    ) throws(HalcyonError) -> any DetectionHead {
        if let head = SSDHead(outputs: outputs, labels: labels) { return head }
        if let head = DetectNetV2Head(outputs: outputs, labels: labels) { return head }
        let found = outputs.map { "'\($0.name)' \($0.shape)" }.joined(separator: ", ")
        throw HalcyonError(
            .unsupported,
            "no detection head for the outputs \(found): expected detection_boxes and detection_scores (SSD), or a "
                + "coverage [N,C,rows,columns] and boxes [N,4C,rows,columns] (DetectNet_v2)")
    }

    static func label(_ index: Int, _ labels: [String]) -> String {
        labels.indices.contains(index) ? labels[index] : "class \(index)"
    }

    static func output(_ name: String, _ outputs: [Tensor]) throws(HalcyonError) -> Tensor {
        guard let output = outputs.first(where: { $0.name == name }) else {
            throw HalcyonError(.invalidArgument, "the detector's response has no output '\(name)'")
        }
        return output
    }
}
