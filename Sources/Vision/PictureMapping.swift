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

    /// A box of the network in the picture's own pixels, cut off at its borders.
    package func toPicture(_ box: Box) -> Box {
        Box(
            left: min(max(0, (box.left - left) * scaleX), width), top: min(max(0, (box.top - top) * scaleY), height),
            right: min(max(0, (box.right - left) * scaleX), width),
            bottom: min(max(0, (box.bottom - top) * scaleY), height))
    }
}
