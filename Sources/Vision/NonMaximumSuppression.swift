/// Greedy non-maximum suppression (NMS), class by class.
package enum NonMaximumSuppression {
    /// The detections that no better one of their class covers, best first. Of equals the earlier one is better.
    ///
    /// - Parameter iouThreshold: the intersection over union from which a box counts as covered.
    package static func keep(_ detections: [Detection], iouThreshold: Float) -> [Detection] {
        let ordered = detections.enumerated().sorted {
            ($1.element.score, $0.offset) < ($0.element.score, $1.offset)
        }
        var kept: [Detection] = []
        for (_, candidate) in ordered {
            let isCovered = kept.contains {
                $0.classIndex == candidate.classIndex && $0.box.overlap(with: candidate.box) >= iouThreshold
            }
            if !isCovered { kept.append(candidate) }
        }
        return kept
    }
}
