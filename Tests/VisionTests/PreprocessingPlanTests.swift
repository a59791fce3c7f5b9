import Foundation
import Tensors
import Testing
import Vision

@Suite("Preprocessing")
struct PreprocessingPlanTests {
    /// A triangle as wide as the picture shrinks, over the pixels around the place: one value at a time.
    private func sample(_ picture: Picture, _ x: Int, _ y: Int, of size: (Int, Int), channel: Int) -> Double {
        let weights = { (at: Int, count: Int, source: Int) -> [Double] in
            let ratio = Double(source) / Double(count)
            let centre = (Double(at) + 0.5) * ratio
            let raw = (0..<source).map { max(0, 1 - abs(Double($0) + 0.5 - centre) / max(1, ratio)) }
            return raw.map { $0 / raw.reduce(0, +) }
        }
        let (across, down) = (weights(x, size.0, picture.width), weights(y, size.1, picture.height))
        var sum = 0.0
        for (row, first) in down.enumerated() where first > 0 {
            for (column, second) in across.enumerated() where second > 0 {
                sum += first * second * Double(picture.pixel(column, row)[channel])
            }
        }
        return sum
    }

    private func noise(_ width: Int, _ height: Int) throws -> Picture {
        try makePicture(width, height) { x, y in
            (UInt8((x * 37 + y * 91) % 256), UInt8((x * x + 7 * y) % 256), UInt8((x * y * 13) % 256))
        }
    }

    @Test(
        "FP32 planes: every value is the filtered one, the picture is in the middle, and the rest is black",
        arguments: [(7, 5), (40, 30), (64, 9)])
    func planes(size: (Int, Int)) throws {
        let picture = try noise(size.0, size.1)
        let plan = try PreprocessingPlan(elementType: .fp32, dimensions: [3, 24, 32], fit: .letterbox)
        #expect(plan.shape(batch: 2) == [2, 3, 24, 32])
        let values = try Tensor(
            name: "item", elementType: .fp32, shape: [3, 24, 32], data: plan.run(picture).item
        ).elements(as: Float.self)
        let factor = max(Double(size.0) / 32, Double(size.1) / 24)
        let (width, height) = (Int((Double(size.0) / factor).rounded()), Int((Double(size.1) / factor).rounded()))
        let (left, top) = ((32 - width) / 2, (24 - height) / 2)
        for channel in 0..<3 {
            for y in 0..<24 {
                for x in 0..<32 {
                    let inside = (left..<left + width).contains(x) && (top..<top + height).contains(y)
                    let size = (width, height)
                    let expected = inside ? sample(picture, x - left, y - top, of: size, channel: channel) / 255 : 0
                    #expect(abs(Double(values[(channel * 24 + y) * 32 + x]) - expected) < 1e-4)
                }
            }
        }
    }

    @Test("The four forms hold the same picture")
    func forms() throws {
        let picture = try noise(50, 20)
        let run = { (type: ElementType, dimensions: TensorShape) in
            try PreprocessingPlan(elementType: type, dimensions: dimensions, fit: .stretch).run(picture).item
        }
        let planes: [Float] = try Tensor(name: "", elementType: .fp32, shape: [3, 8, 6], data: run(.fp32, [3, 8, 6]))
            .elements()
        let pixels: [Float] = try Tensor(name: "", elementType: .fp32, shape: [8, 6, 3], data: run(.fp32, [8, 6, 3]))
            .elements()
        let bytePlanes = try run(.uint8, [3, 8, 6]).withUnsafeBytes { Array($0) }
        let bytePixels = try run(.uint8, [8, 6, 3]).withUnsafeBytes { Array($0) }
        for channel in 0..<3 {
            for cell in 0..<48 {
                #expect(planes[channel * 48 + cell] == pixels[cell * 3 + channel])
                #expect(bytePlanes[channel * 48 + cell] == bytePixels[cell * 3 + channel])
                #expect(abs(planes[channel * 48 + cell] * 255 - Float(bytePlanes[channel * 48 + cell])) <= 0.501)
            }
        }
    }

    @Test("A box of the network goes back to where it was in the picture, and is cut off at its borders")
    func mapping() throws {
        let picture = try gradient(120, 40)
        let letterbox = try PreprocessingPlan(elementType: .fp32, dimensions: [3, 30, 60], fit: .letterbox)
        let box = letterbox.run(picture).mapping.toPicture(Box(left: 5, top: 10, right: 30, bottom: 90))
        #expect(box == Box(left: 10, top: 10, right: 60, bottom: 40))
        let stretch = try PreprocessingPlan(elementType: .uint8, dimensions: [20, 60, 3], fit: .stretch)
        let other = stretch.run(picture).mapping.toPicture(Box(left: -3, top: 10, right: 30, bottom: 20))
        #expect(other == Box(left: 0, top: 20, right: 60, bottom: 40))
    }

    @Test("A picture of one pixel fills a stretched input")
    func onePixel() throws {
        let picture = try makePicture(1, 1) { _, _ in (1, 2, 3) }
        let plan = try PreprocessingPlan(elementType: .uint8, dimensions: [2, 2, 3], fit: .stretch)
        #expect(plan.run(picture).item.withUnsafeBytes { Array($0) } == [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3])
    }

    @Test("An input that is no picture is refused", arguments: [[3, 4], [4, 5, 6], [3, -1, 5], [3, 0, 5]])
    func noPicture(dimensions: [Int]) {
        #expect(throws: HalcyonError.self) {
            try PreprocessingPlan(elementType: .fp32, dimensions: TensorShape(dimensions), fit: .stretch)
        }
        #expect(throws: HalcyonError.self) {
            try PreprocessingPlan(elementType: .int64, dimensions: [3, 8, 8], fit: .stretch)
        }
    }

    @Test("The sample picture has its size")
    func capture() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../shared/images/capture.jpg").standardizedFileURL.path
        guard FileManager.default.fileExists(atPath: path) else {
            print("skipped: ../shared/images/capture.jpg is absent")
            return
        }
        let picture = try PictureDecoder.read(path)
        #expect(picture.width > 1100 && picture.height > 550)
    }
}
