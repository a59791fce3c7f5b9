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
    let figures: CaseFigures
    /// What the server and the model say of themselves.
    let summary: [String]
    /// The paths of the pictures with the boxes; none where they are not saved.
    let overlays: [String]

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

    /// What is known as soon as the case is over.
    var headline: String {
        let found = threads.first.map { "\($0.detections.count) found in \($0.image), " } ?? ""
        let picture = overlays.first.map { "; picture: \($0)" } ?? ""
        return
            "\(repository): \(found)\(figures.work.requests) requests in \(milliseconds.formatted(digits: 0)) "
            + "ms\(picture)"
    }

    /// What each thread found, and the statistics, for people.
    var details: String {
        let lines =
            detectionLines + [
                "Model '\(model)' Stats:", statistics.prettyJSON,
                "TOTAL INFERENCE TIME: \(Int(milliseconds.rounded()))ms",
            ]
        return lines.joined(separator: "\n")
    }

    private var detectionLines: [String] {
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
