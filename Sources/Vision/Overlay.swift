internal import Tensors

/// Draws detections into a copy of a picture: a box each, with label and score above it.
package enum Overlay {
    private struct Colour {
        var red: UInt8
        var green: UInt8
        var blue: UInt8

        /// Whether black letters are read better on it than white ones, by its luma (ITU-R BT.601).
        var isLight: Bool { 299 * Int(red) + 587 * Int(green) + 114 * Int(blue) > 128_000 }
    }

    /// One colour a class, in turn.
    private static let colours = [
        Colour(red: 60, green: 220, blue: 80), Colour(red: 250, green: 170, blue: 30),
        Colour(red: 70, green: 140, blue: 250), Colour(red: 240, green: 70, blue: 90),
        Colour(red: 190, green: 90, blue: 240), Colour(red: 40, green: 210, blue: 220),
    ]

    package static func draw(_ detections: [Detection], on picture: Picture) -> Picture {
        var canvas = Canvas(picture)
        let thickness = max(2, min(picture.width, picture.height) / 300)
        // The best are drawn last, over the others.
        for detection in detections.reversed() {
            let colour = colours[((detection.classIndex % colours.count) + colours.count) % colours.count]
            canvas.frame(detection.box, thickness: thickness, colour)
            canvas.write(
                "\(detection.label) \(percent(detection.score))", above: detection.box, dot: thickness, on: colour)
        }
        return canvas.picture
    }

    private static func percent(_ score: Float) -> String { "\(Int((min(1, max(0, score)) * 100).rounded()))%" }

    /// A picture's copy while it is drawn into. Everything outside of it is cut off.
    private struct Canvas {
        let picture: Picture
        private let pixels: UnsafeMutablePointer<UInt8>

        init(_ original: Picture) {
            // A copy of the bytes of a picture has as many bytes as the picture.
            let copy = original.pixels.withUnsafeBytes { TensorBuffer(copying: $0) }
            picture = (try? Picture(width: original.width, height: original.height, pixels: copy)) ?? original
            pixels = copy.baseAddress.assumingMemoryBound(to: UInt8.self)
        }

        mutating func fill(left: Int, top: Int, right: Int, bottom: Int, _ colour: Colour) {
            let columns = max(0, left)..<max(max(0, left), min(picture.width, right))
            for y in max(0, top)..<max(max(0, top), min(picture.height, bottom)) {
                for x in columns {
                    let pixel = pixels + (y * picture.width + x) * 3
                    (pixel[0], pixel[1], pixel[2]) = (colour.red, colour.green, colour.blue)
                }
            }
        }

        /// A pixel position that fits an `Int` whatever the model said.
        private func position(_ value: Float) -> Int {
            value.isFinite ? Int(min(max(value.rounded(), -100_000), 100_000)) : 0
        }

        mutating func frame(_ box: Box, thickness: Int, _ colour: Colour) {
            let (left, top) = (position(box.left), position(box.top))
            let (right, bottom) = (position(box.right), position(box.bottom))
            fill(left: left, top: top, right: right, bottom: top + thickness, colour)
            fill(left: left, top: bottom - thickness, right: right, bottom: bottom, colour)
            fill(left: left, top: top, right: left + thickness, bottom: bottom, colour)
            fill(left: right - thickness, top: top, right: right, bottom: bottom, colour)
        }

        mutating func write(_ text: String, above box: Box, dot: Int, on colour: Colour) {
            let height = (Glyphs.height + 2) * dot
            let width = (text.count * (Glyphs.width + 1) + 1) * dot
            let left = max(0, min(position(box.left), picture.width - width))
            let above = position(box.top) - height
            let top = above >= 0 ? above : max(0, position(box.top))
            fill(left: left, top: top, right: left + width, bottom: top + height, colour)
            let ink: UInt8 = colour.isLight ? 0 : 255
            let letters = Colour(red: ink, green: ink, blue: ink)
            for (index, character) in text.enumerated() {
                let x = left + (index * (Glyphs.width + 1) + 1) * dot
                for (row, bits) in Glyphs.rows(of: character).enumerated() {
                    for column in 0..<Glyphs.width where bits & (16 >> UInt8(column)) != 0 {
                        let (dotLeft, dotTop) = (x + column * dot, top + (row + 1) * dot)
                        fill(left: dotLeft, top: dotTop, right: dotLeft + dot, bottom: dotTop + dot, letters)
                    }
                }
            }
        }
    }
}
