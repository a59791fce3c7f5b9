import ModelConfigurations
import Testing

@testable import ModelRepository

@Suite("What a load has to do")
struct VersionPlanTests {
    private static func identity(_ contents: UInt64, batch: Int = 8, instances: Int = 1) -> VersionIdentity {
        var configuration = ModelConfiguration(name: "m")
        configuration.maxBatchSize = batch
        configuration.instanceGroups = [InstanceGroup(count: instances)]
        return VersionIdentity(configuration: configuration, contents: contents, shared: 0)
    }

    private struct Row: Sendable {
        var what: String
        var serving: [Int64: VersionIdentity?]
        var wanted: [Int64: VersionIdentity?]
        var keep: [Int64] = []
        var adjust: [Int64] = []
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
        Row(
            what: "other instances", serving: [1: identity(1), 2: identity(2)],
            wanted: [1: identity(1, instances: 3), 2: identity(2)], keep: [2], adjust: [1]),
        Row(
            what: "other instances and another configuration", serving: [1: identity(1)],
            wanted: [1: identity(1, batch: 4, instances: 3)], load: [1], retire: [1]),
        Row(what: "one that is never the same", serving: [1: nil], wanted: [1: nil], load: [1], retire: [1]),
        Row(what: "one that is to be made anew", serving: [1: nil], wanted: [1: identity(1)], load: [1], retire: [1]),
        Row(what: "nothing wanted", serving: [3: identity(1), 2: nil], wanted: [:], retire: [2, 3]),
    ]

    @Test("The table", arguments: rows)
    private func row(_ row: Row) {
        let plan = VersionPlan(serving: row.serving, wanted: row.wanted)
        #expect(plan.keep == row.keep, "\(row.what)")
        #expect(plan.adjust == row.adjust, "\(row.what)")
        #expect(plan.load == row.load, "\(row.what)")
        #expect(plan.retire == row.retire, "\(row.what)")
    }

    @Test("A version whose engine takes no other instances is made anew")
    func madeAnew() {
        var plan = VersionPlan(
            serving: [1: Self.identity(1), 2: Self.identity(2)],
            wanted: [1: Self.identity(1, instances: 2), 2: Self.identity(7)])
        #expect(plan.change == [1, 2])
        plan.makeAnew(1)
        #expect(plan.adjust == [] && plan.load == [1, 2] && plan.retire == [1, 2])
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
