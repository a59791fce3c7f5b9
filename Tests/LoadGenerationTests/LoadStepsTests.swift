import LoadGeneration
import Tensors
import Testing

@Suite("Loads and the moments at which requests are due")
struct LoadStepsTests {
    @Test(
        "Several loads in one text",
        arguments: [
            ("4", [4.0]), ("1,2,4,8", [1, 2, 4, 8]), ("1:64:x2", [1, 2, 4, 8, 16, 32, 64]), ("1:3", [1, 2, 3]),
            ("10:50:20", [10, 30, 50]), ("0.5:0.7:0.1", [0.5, 0.6, 0.7]), ("1,8:16:8", [1, 8, 16]), ("3:5:x2", [3]),
        ])
    func steps(text: String, values: [Double]) throws {
        let parsed = try LoadSteps.parse(text, flag: "--concurrency")
        #expect(parsed.count == values.count)
        for (value, expected) in zip(parsed, values) { #expect(abs(value - expected) < 1e-9) }
    }

    @Test(
        "What is no load is refused, with the flag's name",
        arguments: ["", "0", "-1", "a", "1,,2", "4:1", "1:9:0", "1:9:x1", "1:2:3:4", "inf", "1:1e9"])
    func refused(text: String) {
        let error = #expect(throws: HalcyonError.self) { try LoadSteps.parse(text, flag: "--concurrency") }
        #expect(error?.message.contains("--concurrency") == true)
    }

    @Test("Requests under way are whole")
    func whole() throws {
        #expect(try LoadSteps.counts("1,2", flag: "--concurrency") == [1, 2])
        #expect(throws: HalcyonError.self) { try LoadSteps.counts("1.5", flag: "--concurrency") }
        #expect(throws: HalcyonError.self) { try LoadSteps.counts("100000", flag: "--concurrency") }
    }

    private func moments(_ load: Load, count: Int, part: Int = 0, of parts: Int = 1) -> [UInt64] {
        guard var schedule = ArrivalSchedule(load, seed: 7, part: part, of: parts) else { return [] }
        return (0..<count).compactMap { _ in schedule.next() }
    }

    @Test("Constant arrivals are the same time apart, and no closed loop has any")
    func constant() {
        #expect(moments(.rate(100, .constant), count: 4) == [0, 10_000_000, 20_000_000, 30_000_000])
        #expect(ArrivalSchedule(.concurrency(1), seed: 1) == nil)
    }

    @Test("Poisson arrivals have the rate, and vary as independent ones do")
    func poisson() {
        let all = moments(.rate(1000, .poisson), count: 20_001)
        let gaps = zip(all.dropFirst(), all).map { Double($0 - $1) / 1e6 }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        #expect(abs(mean - 1) < 0.03)
        // Exponentially distributed: as far apart as they are long.
        #expect(abs(variance - 1) < 0.1)
        #expect(moments(.rate(1000, .poisson), count: 100) == Array(all.prefix(100)))
    }

    @Test(
        "Threads that share a load have each of its moments once",
        arguments: [
            Load.rate(50, .constant), .rate(50, .poisson), .recorded([0, 5, 9, 12, 30, 31, 40]),
        ])
    func shared(load: Load) {
        let all = moments(load, count: 6)
        let parts = (0..<3).map { moments(load, count: 2, part: $0, of: 3) }
        #expect(parts.joined().sorted() == all)
        #expect(parts[1] == [all[1], all[4]])
    }

    @Test("A recording is over when it is")
    func recorded() {
        #expect(moments(.recorded([0, 3]), count: 5) == [0, 3])
        #expect(Load.recorded([0, 500_000_000, 2_000_000_000]).offeredRate == 1.5)
    }

    @Test("A trace begins with its first request")
    func trace() throws {
        let text = "# seconds, size\n100.5, 3\n\n100.75 x\n101\n"
        #expect(try ArrivalFile.parse(text, name: "f") == [0, 250_000_000, 500_000_000])
    }

    @Test(
        "A broken trace is refused with its line",
        arguments: [
            ("1\nx\n", "f:2: expected"), ("2\n1\n", "f:2: requests"), ("# none\n", "f has no line"), ("-1\n", "f:1:"),
        ])
    func brokenTrace(text: String, complaint: String) {
        let error = #expect(throws: HalcyonError.self) { try ArrivalFile.parse(text, name: "f") }
        #expect(error?.message.contains(complaint) == true)
    }
}
