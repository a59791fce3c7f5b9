import Foundation
import HalcyonTestKit
import Testing

@testable import people_detection

@Suite struct CaseTableTests {
    @Test func `A case has a row for each batch size and one for a request`() {
        #expect(
            CaseTable.text(Cases.two) == """
                two: 1 instance, batches of up to 8: 6 requests in 50 ms
                  batch size  executions  queue  compute input  infer  output
                  1                    1   0.00           1.00  10.00    0.00
                  5                    1  10.00           1.00  40.00    0.00
                  a request            2   8.33           1.00  35.00    0.00
                """)
    }

    @Test func `All cases side by side`() {
        let lines = CaseTable.text([Cases.one, Cases.four]).split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[1].hasPrefix("one         60           6              1  10.00"))
        #expect(lines[2].hasSuffix("  1: 0.00, 3: 20.00  instance_free 2"))
    }

    @Test func `A repository's new case takes the place of its old one, and other work is left out`() {
        var old = Cases.one
        old.total = 1
        var other = Cases.two
        other.work.threads = 7
        #expect(ResultFile.merge([old, other, Cases.three], with: [Cases.one]) == [Cases.three, Cases.one])
    }

    @Test func `Results are read as they were written, and a foreign file is refused`() throws {
        let path = try TemporaryFolder.make().appendingPathComponent("out/results.json").path
        let file = ResultFile(path)
        #expect(try file.read() == [])
        try file.write([Cases.one, Cases.four])
        #expect(try file.read() == [Cases.one, Cases.four])
        try Data("{}".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: (any Error).self) { try file.read() }
    }
}
