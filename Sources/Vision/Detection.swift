/// A rectangle; x grows to the right and y downwards, in pixels.
package struct Box: Hashable, Sendable {
    package var left: Float
    package var top: Float
    package var right: Float
    package var bottom: Float

    package init(left: Float, top: Float, right: Float, bottom: Float) {
        self.left = left
        self.top = top
        self.right = right
        self.bottom = bottom
    }

    package var area: Float { max(0, right - left) * max(0, bottom - top) }

    /// Intersection over union: 0 for boxes apart, 1 for equal ones.
    package func overlap(with other: Box) -> Float {
        let width = max(0, min(right, other.right) - max(left, other.left))
        let height = max(0, min(bottom, other.bottom) - max(top, other.top))
        let union = area + other.area - width * height
        return union > 0 ? width * height / union : 0
    }
}

/// Something found in a picture.
package struct Detection: Hashable, Sendable {
    package var label: String
    /// The model's number for the label.
    package var classIndex: Int
    /// 0 to 1.
    package var score: Float
    package var box: Box

    package init(label: String, classIndex: Int, score: Float, box: Box) {
        self.label = label
        self.classIndex = classIndex
        self.score = score
        self.box = box
    }
}
