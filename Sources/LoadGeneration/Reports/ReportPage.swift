/// A page that stands alone: its style is in it, it has no script, and nothing is fetched.
package struct ReportPage: Sendable {
    package var title: String
    package var parts: [String] = []

    package init(title: String) { self.title = title }

    package mutating func heading(_ text: String) { parts.append("<h2>\(SVGChart.escaped(text))</h2>") }
    package mutating func paragraph(_ text: String) { parts.append("<p>\(SVGChart.escaped(text))</p>") }
    package mutating func preformatted(_ text: String) { parts.append("<pre>\(SVGChart.escaped(text))</pre>") }
    package mutating func chart(_ svg: String) { parts.append("<figure>\(svg)</figure>") }

    package mutating func table(_ rows: [[String]]) {
        var html = "<div class=\"wide\"><table>"
        for (index, row) in rows.enumerated() {
            let cell = index == 0 ? "th" : "td"
            html += "<tr>" + row.map { "<\(cell)>\(SVGChart.escaped($0))</\(cell)>" }.joined() + "</tr>"
        }
        parts.append(html + "</table></div>")
    }

    package var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>\(SVGChart.escaped(title))</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <h1>\(SVGChart.escaped(title))</h1>
        \(parts.joined(separator: "\n"))
        </body>
        </html>

        """
    }

    private static let style = """
        :root { color-scheme: light dark; --ink: #1d2733; --soft: #5a6876; --paper: #ffffff; --line: #d5dbe1;
          --c0: #1f77b4; --c1: #d9730d; --c2: #2a8f4f; --c3: #a63a50; --c4: #8d8d99; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa7b4; --paper: #14191f; --line:
            #333d47;
          --c0: #5aa9e6; --c1: #f0a04b; --c2: #59c07f; --c3: #e07a90; --c4: #7d7d8a; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 860px;
          margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
        figure { margin: 1rem 0; } svg { width: 100%; height: auto; }
        svg text { font-size: 12px; fill: var(--soft); } .grid { stroke: var(--line); }
        .line { fill: none; stroke-width: 2; }
        .line.c0, .dot.c0 { stroke: var(--c0); } .line.c1, .dot.c1 { stroke: var(--c1); }
        .line.c2, .dot.c2 { stroke: var(--c2); } .dot { fill: var(--paper); stroke-width: 2; }
        .bar.c0 { fill: var(--c0); } .bar.c1 { fill: var(--c1); } .bar.c2 { fill: var(--c2); } .bar.c3 { fill:
            var(--c3); }
        .bar.c4 { fill: var(--c4); }
        .wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
        th { color: var(--soft); font-weight: 600; } td:first-child, th:first-child { text-align: left; }
        pre { background: color-mix(in srgb, var(--line) 35%, transparent); padding: 0.8rem; overflow-x: auto; }
        """
}
