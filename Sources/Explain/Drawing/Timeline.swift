package import FlightRecords
internal import Scheduling

/// Draws a recording's last batches: above, how many requests waited; below, each instance with what it executed; and
/// then each batch with its reason.
package struct Timeline {
    private let recording: Recording
    private let shown: [RecordedBatch]
    private let width: Int
    private let from: UInt64
    private let until: UInt64

    /// - Parameters:
    ///   - count: batches that are shown at most.
    ///   - width: columns.
    package init(_ recording: Recording, count: Int, width: Int) {
        self.recording = recording
        shown = Array(recording.batches.suffix(max(1, count)))
        self.width = max(40, width)
        let start = shown.map(\.start).min() ?? 0
        until = max(start &+ 1, shown.map(\.end).max() ?? 0)
        // What waited before the first batch is part of it, unless it waited for ever.
        let arrival = shown.flatMap { $0.requests.map(\.arrival) }.min() ?? start
        let margin = (until - start) / 3
        from = min(start, max(arrival, start > margin ? start - margin : 0))
    }

    package var text: String {
        guard !shown.isEmpty else { return heading + "\nIt has executed nothing that is still kept.\n" }
        return ([heading, ""] + lanes + [""] + table).map { Self.trimmed($0) }.joined(separator: "\n") + "\n"
    }

    private static func trimmed(_ line: String) -> String {
        var line = line[...]
        while line.last == " " { line.removeLast() }
        return String(line)
    }

    private var heading: String {
        let settings = recording.settings
        var parts = ["\(recording.instanceCount) instance\(recording.instanceCount == 1 ? "" : "s")"]
        if settings.isDynamic {
            parts.append("batches up to \(settings.maxBatchSize)")
            if !settings.preferredBatchSizes.isEmpty, settings.preferredBatchSizes != [settings.maxBatchSize] {
                parts.append("preferred \(settings.preferredBatchSizes.map(String.init).joined(separator: ", "))")
            }
            parts.append("delay \(Self.microseconds(settings.maxQueueDelayMicroseconds))")
            if settings.latencyBudgetMicroseconds > 0 {
                parts.append("budget \(Self.microseconds(settings.latencyBudgetMicroseconds))")
            }
        } else if let other = settings.otherScheduler {
            parts.append("scheduled by \(other)")
        } else {
            parts.append("no dynamic_batching")
        }
        if !shown.isEmpty {
            parts.append("the last \(shown.count == 1 ? "batch" : "\(shown.count) batches") of \(recording.count)")
        }
        return "\(PlainText.of(recording.model)), version \(recording.version): " + parts.joined(separator: "; ")
    }

    private static func microseconds(_ value: UInt64) -> String {
        value == 0 ? "none" : PlainText.duration(value.multipliedReportingOverflow(by: 1000).partialValue)
    }

    // MARK: Lanes

    private var instances: [Int] { Set(shown.map(\.instance)).sorted() }
    private var labelWidth: Int {
        min(24, max(7, instances.map { PlainText.of(recording.name(ofInstance: $0)).count }.max() ?? 0))
    }
    private var columns: Int { width - labelWidth - 2 }

    private func column(_ time: UInt64) -> Int {
        guard time > from else { return 0 }
        return min(columns - 1, Int(Double(time - from) / Double(until - from) * Double(columns)))
    }

    private func line(_ label: String, _ content: [Character]) -> String {
        PlainText.fitted(label, labelWidth) + "  " + String(content)
    }

    private var lanes: [String] {
        var lines = [line("waiting", waiting)]
        for instance in instances {
            var content = Array(repeating: Character("·"), count: columns)
            for batch in shown where batch.instance == instance { draw(batch, into: &content) }
            lines.append(line(PlainText.of(recording.name(ofInstance: instance)), content))
        }
        return lines + [line("", axis)]
    }

    private func draw(_ batch: RecordedBatch, into content: inout [Character]) {
        let first = column(batch.start)
        let last = max(first, column(batch.end) - 1)
        for place in first...last { content[place] = "━" }
        // Where two batches share a column, the later one shows its size.
        for (offset, digit) in String(batch.size).enumerated() where first + offset <= last {
            content[first + offset] = digit
        }
        if last > first + String(batch.size).count { content[last] = batch.hasFailed ? "╳" : "╸" }
    }

    /// How many requests waited in each column, at most: a digit, + from ten on.
    private var waiting: [Character] {
        var changes = Array(repeating: 0, count: columns + 1)
        for batch in shown {
            for request in batch.requests where request.arrival < batch.start {
                let (first, last) = (column(request.arrival), column(batch.start))
                changes[first] += 1
                changes[max(first + 1, last)] -= 1
            }
        }
        var count = 0
        return changes.dropLast().map { change in
            count += change
            return count == 0 ? "·" : count > 9 ? "+" : Character("\(count)")
        }
    }

    private var axis: [Character] {
        let span = PlainText.duration(until - from)
        let left = "0"
        let gap = max(1, columns - left.count - span.count)
        return Array(left + String(repeating: " ", count: gap) + span)
    }

    // MARK: Batches

    private var table: [String] {
        let reasons = ReasonText(recording)
        let rows = shown.sorted { ($0.start, $0.number) < ($1.start, $1.number) }.map { batch in
            [
                "\(batch.number)", PlainText.duration(batch.start - from),
                PlainText.fitted(PlainText.of(recording.name(ofInstance: batch.instance)), labelWidth), "\(batch.size)",
                waited(batch), PlainText.duration(batch.duration), reasons.text(batch),
            ]
        }
        let header = ["batch", "at", PlainText.fitted("instance", labelWidth), "size", "waited", "took", "why"]
        let widths = header.indices.map { index in ([header] + rows).map { $0[index].count }.max() ?? 0 }
        return ([header] + rows).map { row in
            row.indices.map { index in
                index == row.count - 1 || index == 2 ? row[index] : PlainText.right(row[index], widths[index])
            }.joined(separator: "  ")
        }
    }

    private func waited(_ batch: RecordedBatch) -> String {
        let waits = batch.waits
        guard let least = waits.min(), let most = waits.max() else { return "-" }
        let (low, high) = (PlainText.duration(least), PlainText.duration(most))
        return low == high ? low : "\(low) to \(high)"
    }
}
