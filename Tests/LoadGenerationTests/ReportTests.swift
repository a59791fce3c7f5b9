import JSONText
import LoadGeneration
import Testing

@Suite("Reports")
struct ReportTests {
    private func report(_ name: String = "m", errors: [String] = [], steady: LevelResult.Steady = .yes) -> BenchReport {
        let results = [1, 2, 4].map { count -> LevelResult in
            var counts = LoadCounts()
            for index in 0..<100 { counts.succeeded(UInt64(count) * 1_000_000 + UInt64(index) * 10_000) }
            for error in errors { counts.failed(error) }
            var server = ServerCounts()
            server.inferences = 100
            server.executions = 50
            server.batches = [2: 50]
            server.success = .init(count: 100, nanoseconds: 100 * 900_000)
            server.queue = .init(count: 100, nanoseconds: 100 * 300_000)
            server.computeInfer = .init(count: 100, nanoseconds: 100 * 500_000)
            return LevelResult(
                load: .concurrency(count), batch: 1, steady: steady,
                window: Window(seconds: 1, counts: counts, server: server))
        }
        return BenchReport(
            model: name, version: "", target: "http://h", requests: "HTTP with bytes", results: results)
    }

    @Test("The table is aligned, and its times are milliseconds")
    func table() {
        let lines = report().table.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "Model 'm' at http://h: HTTP with bytes")
        #expect(lines[3].hasPrefix("concurrency  infer/s"))
        #expect(lines[4].split(separator: " ").prefix(4) == ["1", "100", "1.50", "1.49"])
        #expect(lines[4].split(separator: " ").suffix(6) == ["0.300", "0.000", "0.500", "0.000", "2", "0"])
        #expect(Set(lines[3...6].map(\.count)).count == 1)
    }

    @Test("What is unsure or went wrong is said below")
    func notes() {
        let text = report(errors: ["HTTP 500: no"], steady: .no).table
        #expect(text.contains("  2*  "))
        #expect(text.contains("* concurrency 1: the windows did not agree"))
        #expect(text.contains("concurrency 4: 1 × HTTP 500: no"))
    }

    @Test("CSV has a line for each load, and JSON can be read")
    func machines() throws {
        let lines = report().csv.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(Set(lines.map { $0.filter { $0 == "," }.count }).count == 1)
        #expect(lines[1].hasPrefix("1,concurrency,yes,100,1.000,100.000,"))
        let text = report().json
        var scanner = text
        let value = try scanner.withUTF8 { bytes in
            var scanner = JSONScanner(UnsafeRawBufferPointer(bytes), maximumDepth: 10)
            return try scanner.value()
        }
        guard case .object(let members) = value else {
            Issue.record("no object")
            return
        }
        #expect(members.map(\.key) == ["model", "version", "target", "requests", "results"])
    }

    @Test("The page stands alone, and shows hostile names as text")
    func page() {
        let html = report("<script>alert('x')</script>").html
        #expect(!html.contains("<script") && html.contains("&lt;script&gt;"))
        for word in [
            "http-equiv=\"Content-Security-Policy\"", "default-src 'none'", "<polyline", "<rect",
            "prefers-color-scheme",
        ] {
            #expect(html.contains(word))
        }
        #expect(!html.contains("src=") && !html.contains("href=") && !html.contains("url("))
    }

    @Test(
        "Numbers as people read them",
        arguments: [
            (0.0, "0"), (1234.5, "1234"), (12.345, "12.3"), (1.5, "1.5"), (0.0421, "0.042"), (100, "100"),
            (0.00001, "0"),
        ])
    func figures(value: Double, text: String) { #expect(Figures.short(value) == text) }
}
