/// Where the network's pixels lie in the picture.
package struct PictureMapping: Hashable, Sendable {
    /// Pixels of the picture to one of the network's.
    let scaleX: Float
    let scaleY: Float
    let width: Float
    let height: Float

    init(scaleX: Float, scaleY: Float, picture: Picture) {
        self.scaleX = scaleX
        self.scaleY = scaleY
        width = Float(picture.width)
        height = Float(picture.height)
    }

    /// A box of the network in the picture's own pixels, cut off at its borders.
    package func toPicture(_ box: Box) -> Box {
        Box(
            left: min(max(0, box.left * scaleX), width), top: min(max(0, box.top * scaleY), height),
            right: min(max(0, box.right * scaleX), width), bottom: min(max(0, box.bottom * scaleY), height))
    }
}
