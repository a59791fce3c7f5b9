import Tensors
import Testing
import Vision

@Suite("Detections")
struct DetectionTests {
    private func detection(_ score: Float, _ left: Float, classIndex: Int = 0) -> Detection {
        Detection(
            label: "l", classIndex: classIndex, score: score, box: Box(left: left, top: 0, right: left + 10, bottom: 10)
        )
    }

    @Test("Suppression keeps the best of those that cover each other, class by class")
    func suppression() {
        let detections = [
            detection(0.5, 0), detection(0.9, 1), detection(0.8, 2, classIndex: 1), detection(0.7, 30),
            detection(0.9, 1.5),
        ]
        let kept = NonMaximumSuppression.keep(detections, iouThreshold: 0.5)
        #expect(kept == [detection(0.9, 1), detection(0.8, 2, classIndex: 1), detection(0.7, 30)])
    }

    @Test("Overlap is intersection over union, also for boxes without area")
    func overlap() {
        let box = Box(left: 0, top: 0, right: 10, bottom: 10)
        #expect(box.overlap(with: box) == 1)
        #expect(box.overlap(with: Box(left: 5, top: 0, right: 15, bottom: 10)) == Float(50) / 150)
        #expect(box.overlap(with: Box(left: 20, top: 0, right: 30, bottom: 10)) == 0)
        let empty = Box(left: 3, top: 3, right: 3, bottom: 3)
        #expect(empty.overlap(with: empty) == 0)
    }

    @Test("DetectNet_v2: all classes, any grid, the item that is asked for")
    func detectNet() throws {
        // Two items, two classes, a grid of 2 x 3 cells over an input of 48 x 32 pixels: a stride of 16.
        var coverage = [Float](repeating: 0, count: 2 * 2 * 6)
        var boxes = [Float](repeating: 0, count: 2 * 8 * 6)
        let cell = 1 * 3 + 2
        coverage[(1 * 2 + 1) * 6 + cell] = 0.75
        for (side, value) in [Float(0.2), 0.1, 0.3, 0.4].enumerated() {
            boxes[((1 * 2 + 1) * 4 + side) * 6 + cell] = value
        }
        let shapes: [(name: String, shape: TensorShape)] = [("box", [-1, 8, 2, 3]), ("cov", [-1, 2, 2, 3])]
        let head = try DetectionHeads.select(outputs: shapes, labels: ["person"])
        #expect(head.fit == .letterbox)
        let outputs = [
            try Tensor(name: "box", shape: [2, 8, 2, 3], boxes),
            try Tensor(name: "cov", shape: [2, 2, 2, 3], coverage),
        ]
        #expect(try head.detections(in: outputs, item: 0, threshold: 0.4, inputWidth: 48, inputHeight: 32).isEmpty)
        let found = try head.detections(in: outputs, item: 1, threshold: 0.4, inputWidth: 48, inputHeight: 32)
        let one = try #require(found.first)
        #expect(found.count == 1 && one.label == "class 1" && one.classIndex == 1 && one.score == 0.75)
        let expected: [Float] = [32.5 - 7, 16.5 - 3.5, 32.5 + 10.5, 16.5 + 14]
        let box = [one.box.left, one.box.top, one.box.right, one.box.bottom]
        #expect(zip(box, expected).allSatisfy { abs($0 - $1) < 1e-4 })
        #expect(throws: HalcyonError.self) {
            try head.detections(in: outputs, item: 2, threshold: 0.4, inputWidth: 48, inputHeight: 32)
        }
    }

    @Test("SSD: boxes are parts of the picture, classes are numbers, and the stated number counts")
    func ssd() throws {
        let shapes: [(name: String, shape: TensorShape)] = [
            ("detection_boxes", [-1, 3, 4]), ("detection_scores", [-1, 3]), ("detection_classes", [-1, 3]),
            ("num_detections", [-1]),
        ]
        let head = try DetectionHeads.select(outputs: shapes, labels: ["background", "person"])
        #expect(head.fit == .stretch)
        let boxes: [Float] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.1, 0.2, 0.5, 0.8, 0, 0, 1, 1, 0, 0, 1, 1]
        let outputs = [
            try Tensor(name: "detection_boxes", shape: [2, 3, 4], boxes),
            try Tensor(name: "detection_scores", shape: [2, 3], [0, 0, 0, 0.9, 0.3, 0.8] as [Float]),
            try Tensor(name: "detection_classes", shape: [2, 3], [1, 1, 1, 1, 1, 1] as [Float]),
            try Tensor(name: "num_detections", shape: [2], [0, 2] as [Float]),
        ]
        let found = try head.detections(in: outputs, item: 1, threshold: 0.4, inputWidth: 100, inputHeight: 200)
        let box = Box(left: 20, top: 20, right: 80, bottom: 100)
        #expect(found == [Detection(label: "person", classIndex: 1, score: 0.9, box: box)])
    }

    @Test("Outputs that no head knows are named")
    func unknownOutputs() {
        let error = #expect(throws: HalcyonError.self) {
            try DetectionHeads.select(outputs: [("logits", [-1, 1000])], labels: [])
        }
        #expect(error?.message.contains("'logits' [-1,1000]") == true)
    }

    @Test("Boxes are drawn where they are and cut off where the picture ends")
    func overlay() throws {
        let picture = try makePicture(60, 50) { _, _ in (7, 7, 7) }
        let boxes = [
            Box(left: 10, top: 20, right: 40, bottom: 45), Box(left: -500, top: -.infinity, right: 1e9, bottom: .nan),
        ]
        let drawn = Overlay.draw(
            boxes.map { Detection(label: "person é", classIndex: -7, score: 2, box: $0) }, on: picture)
        #expect(drawn.width == 60 && drawn.height == 50)
        #expect(
            drawn.pixel(10, 30) != [7, 7, 7] && drawn.pixel(39, 30) != [7, 7, 7] && drawn.pixel(25, 44) != [7, 7, 7])
        #expect(drawn.pixel(25, 32) == [7, 7, 7], "the inside stays")
        #expect(picture.pixel(10, 30) == [7, 7, 7], "the original stays")
    }
}
