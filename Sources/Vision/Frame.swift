/// Where a resized picture lies in a network's input.
struct Frame: Hashable {
    /// The input's size.
    let width: Int
    let height: Int
    /// The picture's upper left corner in it.
    let left: Int
    let top: Int
}
