package import Tensors

/// The head of DetectNet_v2 (PeopleNet and its kin): a grid of cells, each with a coverage and a box for every class.
///
/// The cell at row y and column x says for class c, with b its box values: left = 16x + 0.5 − 35·b[4c], top = 16y + 0.5
/// − 35·b[4c+1], right = 16x + 0.5 + 35·b[4c+2], bottom = 16y + 0.5 + 35·b[4c+3]. The stride of 16 is the network's;
/// another grid has the input's size divided by its own. 35 and 0.5 are NVIDIA's post-processing constants.
package struct DetectNetV2Head: DetectionHead {
    package static let boxScale: Float = 35
    package static let offset: Float = 0.5
    /// The intersection over union from which a lesser box of the same class is dropped.
    package static let iouThreshold: Float = 0.5

    private let coverage: String
    private let boxes: String
    private let labels: [String]

    package var fit: Fit { .letterbox }

    /// `nil` where no two outputs are `[N,C,rows,columns]` and `[N,4C,rows,columns]`.
    package init?(outputs: [(name: String, shape: TensorShape)], labels: [String]) {
        for (coverage, shape) in outputs where shape.rank == 4 {
            for (boxes, other) in outputs
            where other.rank == 4 && other.dimensions[2...] == shape.dimensions[2...]
                && shape.dimensions[1] > 0
                && other.dimensions[1] == shape.dimensions[1].multipliedReportingOverflow(by: 4).partialValue
            {
                self.coverage = coverage
                self.boxes = boxes
                self.labels = labels
                return
            }
        }
        return nil
    }

    package func detections(
        in outputs: [Tensor], item: Int, threshold: Float, inputWidth: Int, inputHeight: Int
    ) throws(HalcyonError) -> [Detection] {
        let coverage = try DetectionHeads.output(coverage, outputs)
        let boxes = try DetectionHeads.output(boxes, outputs)
        let shape = coverage.shape.dimensions
        guard coverage.shape.rank == 4, coverage.elementType == .fp32, boxes.elementType == .fp32, item >= 0,
            item < shape[0], boxes.shape == TensorShape([shape[0], shape[1] * 4, shape[2], shape[3]]), shape[2] > 0,
            shape[3] > 0
        else {
            throw HalcyonError(
                .invalidArgument,
                "outputs '\(coverage.name)' \(coverage.shape) and '\(boxes.name)' \(boxes.shape) are not those of item "
                    + "\(item) of a DetectNet_v2 batch")
        }
        let (classes, rows, columns) = (shape[1], shape[2], shape[3])
        let cells = rows * columns
        let stride = (x: Float(inputWidth) / Float(columns), y: Float(inputHeight) / Float(rows))
        var found: [Detection] = []
        coverage.data.withUnsafeBytes { coverage in
            boxes.data.withUnsafeBytes { boxes in
                let scores = coverage.assumingMemoryBound(to: Float.self)
                let values = boxes.assumingMemoryBound(to: Float.self)
                for index in 0..<classes {
                    let scoreBase = (item * classes + index) * cells
                    let boxBase = (item * classes + index) * 4 * cells
                    for cell in 0..<cells where scores[scoreBase + cell] >= threshold {
                        let x = Float(cell % columns) * stride.x + Self.offset
                        let y = Float(cell / columns) * stride.y + Self.offset
                        let side = { values[boxBase + $0 * cells + cell] * Self.boxScale }
                        found.append(
                            Detection(
                                label: DetectionHeads.label(index, labels), classIndex: index,
                                score: scores[scoreBase + cell],
                                box: Box(left: x - side(0), top: y - side(1), right: x + side(2), bottom: y + side(3))))
                    }
                }
            }
        }
        return NonMaximumSuppression.keep(found, iouThreshold: Self.iouThreshold)
    }
}
