/// Where the network's pixels lie in the picture.
package struct PictureMapping: Hashable, Sendable {
    /// Pixels of the picture to one of the network's.
    let scaleX: Float
    let scaleY: Float
    /// The picture's upper left corner in the network's input.
    let left: Float
    let top: Float
    /// The picture's size.
    let width: Float
    let height: Float

    /// The numbers, in the order of the properties.
    package var values: [Float] { [scaleX, scaleY, left, top, width, height] }

    init(scaleX: Float, scaleY: Float, left: Float, top: Float, width: Float, height: Float) {
        self.scaleX = scaleX
        self.scaleY = scaleY
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    /// - Parameter values: as ``values`` gives them; `nil` where they are not six.
    package init?(_ values: [Float]) {
        guard values.count == 6 else { return nil }
        self.init(
            scaleX: values[0], scaleY: values[1], left: values[2], top: values[3], width: values[4], height: values[5])
    }

    /// A box of the network in the picture's own pixels, cut off at its borders.
    package func toPicture(_ box: Box) -> Box {
        Box(
            left: min(max(0, (box.left - left) * scaleX), width), top: min(max(0, (box.top - top) * scaleY), height),
            right: min(max(0, (box.right - left) * scaleX), width),
            bottom: min(max(0, (box.bottom - top) * scaleY), height))
    }
}
