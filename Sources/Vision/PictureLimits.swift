/// What a picture may cost before it is refused.
package struct PictureLimits: Hashable, Sendable {
    /// Bytes of the largest file that is read.
    package var maxFileBytes = 256 << 20
    /// Pixels of the largest picture that is decoded; checked before its memory is allocated.
    package var maxPixels = 100_000_000

    package init() {}
}
