import Testing

@testable import EngineSearch

@Suite struct FolderTrustTests {
    private typealias Entry = FolderTrust.Entry

    /// Of `/`, `/srv`, and `/srv/openvino` with one library, for user 1000, whose group is 1000.
    private func complaint(
        work: (owner: UInt32, group: UInt32, mode: UInt32) = (1000, 1000, 0o755),
        folder: (owner: UInt32, group: UInt32, mode: UInt32) = (1000, 1000, 0o755),
        library: (owner: UInt32, group: UInt32, mode: UInt32) = (1000, 1000, 0o644)
    ) -> String? {
        FolderTrust.complaint(
            [
                Entry(path: "/", owner: 0, group: 0, mode: 0o755),
                Entry(path: "/srv", owner: work.owner, group: work.group, mode: work.mode),
                Entry(path: "/srv/openvino", owner: folder.owner, group: folder.group, mode: folder.mode),
                Entry(path: "/srv/openvino/lib.so", owner: library.owner, group: library.group, mode: library.mode),
            ], above: 2, userID: 1000, groupID: 1000)
    }

    @Test func `What belongs to the user or to root is used`() {
        #expect(complaint() == nil)
        #expect(complaint(work: (0, 0, 0o755), folder: (0, 0, 0o755), library: (0, 0, 0o644)) == nil)
    }

    @Test func `What belongs to somebody else is not`() {
        #expect(
            complaint(work: (1001, 1001, 0o755))
                == "'/srv' belongs to user 1001, whose libraries would run as user 1000")
        #expect(
            complaint(library: (1001, 1000, 0o644))?.hasPrefix("'/srv/openvino/lib.so' belongs to user 1001") == true)
    }

    @Test func `What everybody may write is not, at whatever depth`() {
        #expect(
            complaint(folder: (1000, 1000, 0o777))
                == "everybody may write '/srv/openvino', and so have libraries run as user 1000")
        #expect(complaint(work: (1000, 1000, 0o777)) != nil)
        #expect(complaint(library: (1000, 1000, 0o666)) != nil)
    }

    @Test func `A folder under one like tmp is used, that one itself is not`() {
        #expect(complaint(work: (0, 0, 0o1777)) == nil)
        #expect(complaint(folder: (0, 0, 0o1777)) != nil)
    }

    @Test func `A group may write where it is the user's own, or root lets it`() {
        #expect(complaint(work: (1000, 1000, 0o775), folder: (1000, 1000, 0o775)) == nil)
        #expect(complaint(work: (0, 50, 0o2775)) == nil)
        #expect(
            complaint(work: (1000, 50, 0o775))
                == "the members of group 50 may write '/srv', and so have libraries run as user 1000")
    }
}
