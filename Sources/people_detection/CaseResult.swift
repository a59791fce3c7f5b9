internal import Halcyon
internal import JSONText
internal import Vision

/// What one repository's run came to.
struct CaseResult {
    /// The name of its folder.
    let repository: String
    let model: String
    let milliseconds: Double
    let threads: [ThreadResult]
    let statistics: ServerStatistics

    var json: JSONValue {
        [
            "model": .string(model),
            "total_inference_time_ms": .number((milliseconds * 1000).rounded() / 1000),
            "threads": .array(threads.map(Self.thread)),
            "statistics": statistics.jsonValue,
        ]
    }

    private static func thread(_ thread: ThreadResult) -> JSONValue {
        [
            "thread": .integer(Int64(thread.number)),
            "image": .string(thread.image),
            "detections": .array(
                thread.detections.map { detection in
                    [
                        "label": .string(detection.label),
                        "score": rounded(detection.score, to: 1000),
                        "box": .array(
                            [detection.box.left, detection.box.top, detection.box.right, detection.box.bottom].map {
                                rounded($0, to: 10)
                            }),
                    ]
                }),
        ]
    }

    private static func rounded(_ value: Float, to parts: Double) -> JSONValue {
        .number((Double(value) * parts).rounded() / parts)
    }

    /// What each thread found, for people.
    var detectionLines: [String] {
        threads.flatMap { thread in
            ["Thread \(thread.number): \(thread.image): \(thread.detections.count) found"]
                + thread.detections.map { detection in
                    let box = [detection.box.left, detection.box.top, detection.box.right, detection.box.bottom]
                        .map { "\(Int($0.rounded()))" }.joined(separator: ", ")
                    return "  \(detection.label) \(detection.score.formatted(digits: 3)) [\(box)]"
                }
        }
    }
}

extension BinaryFloatingPoint {
    /// With that many digits behind the point.
    func formatted(digits: Int) -> String {
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        // What a model says may be infinite, or over every integer.
        guard let scaled = Int(exactly: (Double(self) * Double(scale)).rounded()) else { return "\(self)" }
        let fraction = String(abs(scaled) % scale)
        let zeros = String(repeating: "0", count: max(0, digits - fraction.count))
        return "\(scaled < 0 ? "-" : "")\(abs(scaled) / scale)" + (digits > 0 ? ".\(zeros)\(fraction)" : "")
    }
}
