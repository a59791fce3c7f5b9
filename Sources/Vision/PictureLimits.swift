/// What a picture may cost before it is refused.
package struct PictureLimits: Hashable, Sendable {
    /// Bytes of the largest file that is read.
    package var maxFileBytes = 256 << 20
    /// Pixels of the largest picture that is decoded; checked before its memory is allocated.
    package var maxPixels = 100_000_000
    /// Scans of a JPEG file. Cameras and programs write about ten.
    package var maxScans = 100
    /// Pixels that all scans of a file go over together: about a second's work.
    package var maxScannedPixels = 2_000_000_000
    /// Bytes that a PNG file's samples take when they are decompressed: few bytes of a file can become many.
    package var maxSampleBytes = 400_000_000

    package init() {}
}
