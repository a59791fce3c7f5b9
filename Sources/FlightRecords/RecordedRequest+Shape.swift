package import Scheduling

extension RecordedRequest {
    /// A number that tells a shape apart from others; 0 for one without open dimensions. It is the same in every
    /// process, so that recordings can be compared.
    package static func number(of shape: ShapeKey) -> UInt32 {
        guard !shape.openDimensions.isEmpty else { return 0 }
        // A multiplication and a fold for each dimension: whole numbers, not bytes, as every request comes here.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for dimension in shape.openDimensions {
            hash = (hash ^ UInt64(bitPattern: Int64(dimension))) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
        }
        return max(1, UInt32(truncatingIfNeeded: hash))
    }
}
