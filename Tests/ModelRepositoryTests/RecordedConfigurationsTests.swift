import Foundation
import ModelConfigurations
import Tensors
import Testing

/// Triton's verdict on 31 configurations, and ours.
@Suite(.enabled(if: Recorded.isThere, Recorded.absent))
struct RecordedConfigurationsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var configuration: String?
        var triton: String
        var testDescription: String { name }
    }

    /// Where Triton is too lenient, or speaks of what this version does not have: a part of our sentence.
    private static let ours = [
        "instance_negative":
            "config.pbtxt:5:42: error: instance_group[0].count: instance group count must be 1 to 1024",
        "two_groups_same_name": "instance group 'a' is specified more than once",
        "warmup_unknown_input": "has no input 'NOPE'",
        // Triton writes the path from the repository on; ours is at the head of the line.
        "traversing_labels": "for output 'OUTPUT0' in model 'traversing_labels' is outside model directory",
    ]

    static var cases: [Case] {
        let list = (try? Recorded.json("configurations.json")) as? [[String: Any]] ?? []
        return list.map {
            Case(
                name: $0["name"] as? String ?? "", configuration: $0["config.pbtxt"] as? String,
                triton: $0["reference"] as? String ?? "")
        }
    }

    @Test func `All recordings are looked at`() {
        let names = Self.cases.map(\.name)
        #expect(names.count == 31)
        #expect(Set(names).isSuperset(of: Self.ours.keys))
    }

    @Test(arguments: cases)
    func `The verdict is Triton's or better`(recorded: Case) throws {
        let repository = try TemporaryRepository()
        try Recorded.lay(recorded.name, configuration: recorded.configuration, in: repository)
        let error = repository.error { try Recorded.load(recorded.name, from: repository) }
        if let ours = Self.ours[recorded.name] {
            #expect(error?.message.contains(ours) == true, "\(error?.message ?? "loads")")
            return
        }
        guard recorded.triton != "loads" else {
            #expect(error == nil)
            return
        }
        let message = try #require(error?.message)
        // `Invalid argument: …`, `5:15: …`, or nothing before the sentence.
        let code = HalcyonError.Code.all.first { recorded.triton.hasPrefix("\($0): ") }
        if let code {
            #expect(error?.code == code)
            let sentence = String(recorded.triton.dropFirst(code.description.count + 2))
            #expect(message.contains(sentence), "\(message)")
        } else if let position = recorded.triton.prefixMatch(of: #/(\d+):\d+: /#) {
            // The line only: Triton points behind an unknown name, and we at it.
            #expect(message.contains("config.pbtxt:\(position.1):"), "\(message)")
            #expect(message.contains(recorded.triton[position.range.upperBound...]), "\(message)")
        } else {
            #expect(message.contains(recorded.triton), "\(message)")
        }
    }

    @Test func `A dynamic batcher that batches nothing is worth a warning`() throws {
        let repository = try TemporaryRepository()
        let recorded = try #require(Self.cases.first { $0.name == "batch_zero_with_dynamic" })
        try Recorded.lay(recorded.name, configuration: recorded.configuration, in: repository)
        let loaded = try Recorded.load(recorded.name, from: repository)
        #expect(ConfigurationCheck.warnings(loaded.configuration).count == 1)
    }
}
