import ModelConfiguration
import Testing

@testable import ModelRepository

@Suite("What a load has to do")
struct VersionPlanTests {
    private static func identity(_ contents: UInt64, batch: Int = 8) -> VersionIdentity {
        var configuration = ModelConfiguration(name: "m")
        configuration.maxBatchSize = batch
        return VersionIdentity(configuration: configuration, contents: contents, shared: 0)
    }

    private struct Row: Sendable {
        var what: String
        var serving: [Int64: VersionIdentity?]
        var wanted: [Int64: VersionIdentity?]
        var keep: [Int64] = []
        var load: [Int64] = []
        var retire: [Int64] = []
    }

    private static let rows = [
        Row(what: "the first load", serving: [:], wanted: [1: identity(1), 2: identity(2)], load: [1, 2]),
        Row(what: "nothing new", serving: [1: identity(1)], wanted: [1: identity(1)], keep: [1]),
        Row(
            what: "a version more", serving: [1: identity(1)], wanted: [1: identity(1), 2: identity(2)], keep: [1],
            load: [2]),
        Row(
            what: "a version less", serving: [1: identity(1), 2: identity(2)], wanted: [2: identity(2)], keep: [2],
            retire: [1]),
        Row(what: "the next version", serving: [1: identity(1)], wanted: [2: identity(2)], load: [2], retire: [1]),
        Row(
            what: "other files", serving: [1: identity(1), 2: identity(2)], wanted: [1: identity(7), 2: identity(2)],
            keep: [2], load: [1], retire: [1]),
        Row(
            what: "another configuration", serving: [1: identity(1)], wanted: [1: identity(1, batch: 4)], load: [1],
            retire: [1]),
        Row(what: "one that is never the same", serving: [1: nil], wanted: [1: nil], load: [1], retire: [1]),
        Row(what: "one that is to be made anew", serving: [1: nil], wanted: [1: identity(1)], load: [1], retire: [1]),
        Row(what: "nothing wanted", serving: [3: identity(1), 2: nil], wanted: [:], retire: [2, 3]),
    ]

    @Test("The table", arguments: rows)
    private func row(_ row: Row) {
        let plan = VersionPlan(serving: row.serving, wanted: row.wanted)
        #expect(plan.keep == row.keep, "\(row.what)")
        #expect(plan.load == row.load, "\(row.what)")
        #expect(plan.retire == row.retire, "\(row.what)")
    }

    @Test("Which versions there are to be changes none of them")
    func versionPolicy() {
        var configuration = ModelConfiguration(name: "m")
        let before = VersionIdentity(configuration: configuration, contents: 1, shared: 2)
        configuration.versionPolicy = .all
        #expect(VersionIdentity(configuration: configuration, contents: 1, shared: 2) == before)
        configuration.parameters["x"] = "y"
        #expect(VersionIdentity(configuration: configuration, contents: 1, shared: 2) != before)
    }
}
