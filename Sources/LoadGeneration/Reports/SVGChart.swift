/// Curves and bars as SVG, without anything from elsewhere. Colours come from the page's style.
package enum SVGChart {
    package struct Series: Sendable {
        /// A place, what stands beside it, and what is said where somebody points at it.
        package struct Point: Sendable {
            package var x: Double
            package var y: Double
            package var tag: String
            package var label: String

            package init(x: Double, y: Double, tag: String, label: String) {
                self.x = x
                self.y = y
                self.tag = tag
                self.label = label
            }
        }

        package var name: String
        package var points: [Point]

        package init(name: String, points: [Point]) {
            self.name = name
            self.points = points
        }
    }

    private static let width = 760.0
    private static let height = 320.0
    private static let left = 70.0
    private static let right = 20.0
    private static let top = 30.0
    private static let bottom = 50.0

    /// Points, and lines through them where they are in an order.
    package static func curves(_ series: [Series], x: String, y: String, isOrdered: Bool = true) -> String {
        let points = series.flatMap(\.points)
        let xTicks = ticks(points.map(\.x).max() ?? 1)
        let yTicks = ticks(points.map(\.y).max() ?? 1)
        func place(_ x: Double, _ y: Double) -> (Double, Double) {
            (
                left + (width - left - right) * x / (xTicks.last ?? 1),
                height - bottom - (height - top - bottom) * y / (yTicks.last ?? 1)
            )
        }
        var svg = open(label: "\(y) against \(x)")
        for tick in xTicks {
            let (px, py) = place(tick, 0)
            svg += text(Figures.short(tick), px, py + 18, "middle")
        }
        for tick in yTicks {
            let (px, py) = place(0, tick)
            svg += "<line class=\"grid\" x1=\"\(n(px))\" y1=\"\(n(py))\" x2=\"\(n(width - right))\" y2=\"\(n(py))\"/>"
            svg += text(Figures.short(tick), px - 8, py + 4, "end")
        }
        svg += text(x, (left + width - right) / 2, height - 8, "middle") + text(y, 8, 16, "start")
        for (index, each) in series.enumerated() {
            let places = each.points.map { place($0.x, $0.y) }
            let path = places.map { "\(n($0.0)),\(n($0.1))" }.joined(separator: " ")
            if isOrdered { svg += "<polyline class=\"line c\(index)\" points=\"\(path)\"/>" }
            for (point, position) in zip(each.points, places) {
                svg +=
                    "<circle class=\"dot c\(index)\" cx=\"\(n(position.0))\" cy=\"\(n(position.1))\" r=\"4\"><title>"
                    + escaped("\(each.name), \(point.label)") + "</title></circle>"
                svg += text(point.tag, position.0 + 8, position.1 - 6, "start")
            }
        }
        return svg + legend(series.map(\.name)) + "</svg>"
    }

    /// A bar for each row, made of parts.
    package static func bars(
        _ rows: [(label: String, parts: [Double])], parts: [String], x: String
    ) -> String {
        let step = 28.0
        let size = top + bottom + step * Double(rows.count)
        let ticks = ticks(rows.map { $0.parts.reduce(0, +) }.max() ?? 1)
        let scale = (width - left - right) / (ticks.last ?? 1)
        var svg = open(label: x, height: size)
        for tick in ticks {
            let px = left + tick * scale
            svg += "<line class=\"grid\" x1=\"\(n(px))\" y1=\"\(n(top))\" x2=\"\(n(px))\" y2=\"\(n(size - bottom))\"/>"
            svg += text(Figures.short(tick), px, size - bottom + 18, "middle")
        }
        for (row, each) in rows.enumerated() {
            let y = top + step * Double(row) + 4
            svg += text(each.label, left - 8, y + 14, "end")
            var start = left
            for (index, part) in each.parts.enumerated() {
                svg +=
                    "<rect class=\"bar c\(index)\" x=\"\(n(start))\" y=\"\(n(y))\" width=\"\(n(part * scale))\" "
                    + "height=\"20\"><title>"
                    + escaped("\(parts.indices.contains(index) ? parts[index] : ""): \(Figures.short(part))")
                    + "</title></rect>"
                start += part * scale
            }
        }
        return svg + text(x, (left + width - right) / 2, size - 8, "middle") + legend(parts) + "</svg>"
    }

    private static func open(label: String, height: Double = height) -> String {
        "<svg role=\"img\" aria-label=\"\(escaped(label))\" viewBox=\"0 0 \(n(width)) \(n(height))\">"
    }

    private static func legend(_ names: [String]) -> String {
        var svg = ""
        var x = left + 90
        for (index, name) in names.enumerated() {
            svg += "<rect class=\"bar c\(index)\" x=\"\(n(x))\" y=\"6\" width=\"12\" height=\"12\"/>"
            svg += text(name, x + 17, 16, "start")
            x += 35 + 7.5 * Double(name.count)
        }
        return svg
    }

    private static func text(_ text: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
        "<text x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor)\">\(escaped(text))</text>"
    }

    private static func n(_ value: Double) -> String { Figures.fixed(value.isFinite ? value : 0, 1) }

    /// From 0 to a round number that is not below the largest.
    static func ticks(_ largest: Double) -> [Double] {
        guard largest > 0, largest.isFinite else { return [0, 1] }
        var step = 1.0
        while step * 5 < largest { step *= 10 }
        while step * 5 / 10 >= largest { step /= 10 }
        for factor in [0.2, 0.5] where step * factor * 5 >= largest {
            step *= factor
            break
        }
        let count = Int((largest / step - 1e-9).rounded(.up))
        return (0...max(1, count)).map { Double($0) * step }
    }

    /// Text in a page: what comes from a server is never trusted.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
