/// The weights of bilinear resampling with a triangle filter: where a picture is made smaller, the triangle is made
/// wider by as much, so that every pixel counts (Pillow's `BILINEAR`).
struct TriangleFilter {
    /// Source positions that each output position takes.
    let taps: Int
    /// The first of them, for each output position.
    let starts: [Int32]
    /// `taps` weights an output position; they add up to `scale`.
    let weights: [Float]

    /// - Parameters: numbers of positions, at least 1.
    init(source: Int, output: Int, scale: Float = 1) {
        let ratio = Double(source) / Double(output)
        let radius = max(1, ratio)
        let taps = min(source, Int((2 * radius).rounded(.up)) + 1)
        var starts: [Int32] = []
        var weights: [Float] = []
        starts.reserveCapacity(output)
        weights.reserveCapacity(output * taps)
        for position in 0..<output {
            let centre = (Double(position) + 0.5) * ratio
            let first = max(0, Int((centre - radius + 0.5).rounded(.down)))
            let start = min(first, source - taps)
            let row = (start..<start + taps).map { max(0, 1 - abs((Double($0) + 0.5 - centre) / radius)) }
            let sum = row.reduce(0, +)
            starts.append(Int32(truncatingIfNeeded: start))
            weights += row.map { Float($0 / sum) * scale }
        }
        self.taps = taps
        self.starts = starts
        self.weights = weights
    }
}
