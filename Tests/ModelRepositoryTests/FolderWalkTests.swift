import Foundation
import ModelConfigurations
import Tensors
import Testing

@testable import ModelRepository

@Suite("Walks through what lies in a repository")
struct FolderWalkTests {
    private func walk(_ repository: TemporaryRepository, _ limits: WalkLimits = WalkLimits(), follows: Bool = false)
        -> FolderWalk
    {
        FolderWalk(root: follows ? nil : repository.path, limits: limits)
    }

    @Test("A link that leads out is not followed by a look at what has changed, but a change of the link is seen")
    func outside() throws {
        let repository = try TemporaryRepository()
        try repository.model("m")
        for index in 0..<20 { try repository.file("../store/\(index)") }
        try repository.link("m/1/store", to: "../../../store")
        try repository.link("all", to: "/")
        var limits = WalkLimits()
        limits.entryCount = 10
        let before = try walk(repository, limits).fingerprint(of: repository.path + "/m")
        try repository.file("../store/more")
        #expect(try walk(repository, limits).fingerprint(of: repository.path + "/m") == before)
        try FileManager.default.removeItem(atPath: repository.path + "/m/1/store")
        try repository.link("m/1/store", to: "/")
        #expect(try walk(repository, limits).fingerprint(of: repository.path + "/m") != before)
        _ = try walk(repository, limits).fingerprint(of: repository.path + "/all")
        #expect(repository.error("all")?.message.contains("leads to '/'") == true)
    }

    @Test("A walk ends at its limits with an error that says which")
    func limits() throws {
        let repository = try TemporaryRepository()
        try repository.model("m")
        for index in 0..<20 { try repository.file("m/1/assets/\(index)") }
        try repository.file("m/1/a/b/c/d")
        func error(_ change: (inout WalkLimits) -> Void) -> String {
            var limits = WalkLimits()
            change(&limits)
            return repository.error { try walk(repository, limits).fingerprint(of: repository.path + "/m") }?.message
                ?? ""
        }
        #expect(error { _ in }.isEmpty)
        #expect(error { $0.entryCount = 20 }.contains("has more than 20 files and folders"))
        #expect(error { $0.depth = 2 }.contains("has more than 2 folders inside each other"))
        let ticks = Ticks()
        #expect(error { $0.now = { ticks.next() } }.contains("has not been walked through after 30 s"))
    }

    @Test("A model that is too large to be watched is left as it is, with a notice, and the others are watched")
    func notices() throws {
        let repository = try TemporaryRepository()
        try repository.model("small")
        try repository.model("large")
        for index in 0..<20 { try repository.file("large/1/\(index)") }
        var reader = try repository.reader()
        reader.limits.entryCount = 10
        var notices: [String] = []
        let found = try reader.fingerprints { key, error in notices.append(key + ": " + error.message) }
        #expect(found.keys.sorted() == ["large", "small"])
        #expect(found["small"].flatMap(\.self) != nil && found["large"].flatMap(\.self) == nil)
        #expect(notices.count == 1 && notices[0].hasPrefix("large: "))
    }

    @Test("What hides behind a dot does not count, but through a link")
    func hidden() throws {
        let repository = try TemporaryRepository()
        try repository.model("m")
        let look = { try self.walk(repository).fingerprint(of: repository.path + "/m") }
        let before = try look()
        try repository.file("m/.git/index", "1")
        #expect(try look() == before)
        try repository.link("m/link", to: ".git/index")
        let linked = try look()
        #expect(linked != before)
        try repository.file("m/.git/index", "22")
        #expect(try look() != linked)
    }

    @Test("Configurations of several names")
    func configurationNames() throws {
        let repository = try TemporaryRepository()
        try repository.model("m", configuration: "max_batch_size: 1")
        try repository.file("m/configs/large.pbtxt", "max_batch_size: 9")
        try repository.model("n", configuration: "max_batch_size: 2")
        var reader = try repository.reader()
        try reader.prefer(configuration: "large")
        let size = { (name: String) in try reader.readModel(name, backends: StubBackend.all).configuration.maxBatchSize
        }
        #expect(try size("m") == 9)
        #expect(try size("n") == 2)
        #expect(try repository.read("m").configuration.maxBatchSize == 1)
        for name in ["a/b", "a b", "..", ".x", "a\u{A0}b"] {
            #expect(throws: HalcyonError.self) { try reader.prefer(configuration: name) }
        }
    }

    /// A clock that is 20 s on at every look.
    private final class Ticks: @unchecked Sendable {
        private var now: UInt64 = 0

        func next() -> UInt64 {
            now += 20_000_000_000
            return now
        }
    }
}

@Suite("Room for loads")
struct LoadLeasesTests {
    @Test("As many at a time as there is room, but for those that take long")
    func room() throws {
        var leases = LoadLeases(count: 2, patience: 100)
        func take(_ now: UInt64) -> LoadLeases.Lease? { leases.take(now: now) }
        let first = try #require(take(0))
        #expect(take(10) != nil)
        #expect(take(99) == nil)
        #expect(leases.nextExpiry == 100)
        #expect(take(100) != nil)
        #expect(take(101) == nil)
        #expect(leases.nextExpiry == 110)
        // One that no longer counts gives no room when it ends.
        leases.giveBack(first)
        #expect(take(102) == nil)
        #expect(take(110) != nil)
    }
}
