import Foundation
import HalcyonTestKit
import LibraryFiles
import Testing

@testable import EngineSearch

@Suite struct EngineSearchTests {
    private let folder: URL

    init() throws { folder = try TemporaryFolder.make().resolvingSymlinksInPath() }

    private func search(named: String? = nil, _ variables: [String: String] = [:]) -> EngineLocator {
        EngineLocator(
            named: named, flag: "--backend-directory FOLDER",
            ProcessSurroundings(
                variables: variables, executable: "\(folder.path)/bin/halcyon", workingDirectory: folder.path,
                userID: geteuid(), groupID: getegid()))
    }

    private func install(_ engine: String, in place: String, mode: Int = 0o755) throws {
        let target = folder.appendingPathComponent("\(place)/\(engine)")
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        try Data().write(to: target.appendingPathComponent("libengine.so.1"))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: target.path)
    }

    @Test func `Each engine is taken from the first place that has it`() throws {
        try install("one", in: "backends")
        try install("one", in: ".deps/backends")
        try install("two", in: ".deps/backends")
        let one = search().look(for: "one")
        #expect(one.taken?.folder == "\(folder.path)/backends/one")
        #expect(one.taken?.place.origin == .executable)
        #expect(one.directories == ["\(folder.path)/backends/one", "\(folder.path)/.deps/backends/one"])
        let two = search().look(for: "two")
        #expect(two.taken?.folder == "\(folder.path)/.deps/backends/two")
        #expect(two.taken?.place.origin.reason == "in .deps of the working folder")
    }

    @Test func `A folder without a library is passed over`() throws {
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("backends/one"), withIntermediateDirectories: true)
        try install("one", in: "chosen")
        let finding = search(["HALCYON_BACKENDS": "chosen"]).look(for: "one")
        #expect(finding.looks.first?.outcome == .empty)
        #expect(finding.taken?.place.origin == .variable)
    }

    @Test func `A folder that others can write is not used, and the reason is said`() throws {
        try install("one", in: ".deps/backends", mode: 0o777)
        let finding = search().look(for: "one")
        #expect(finding.taken == nil)
        #expect(finding.directories == [])
        let path = "\(folder.path)/.deps/backends/one"
        #expect(
            finding.refusals == [
                "\(path) is not used: everybody may write '\(path)', and so have libraries run as user \(geteuid()); "
                    + "--backend-directory FOLDER uses it all the same"
            ])
        #expect(finding.absence.places.last?.hasPrefix("\(path) (not used: everybody may write '\(path)'") == true)
        // Whoever names it has decided.
        #expect(search(named: "\(folder.path)/.deps/backends").look(for: "one").taken?.folder == path)
        #expect(search(["HALCYON_BACKENDS": ".deps/backends"]).look(for: "one").taken?.folder == path)
    }

    @Test func `A link into a folder that others can write is followed before it is judged`() throws {
        try install("one", in: "open", mode: 0o777)
        try FileManager.default.createSymbolicLink(
            at: folder.appendingPathComponent("backends"), withDestinationURL: folder.appendingPathComponent("open"))
        #expect(search().look(for: "one").taken == nil)
    }

    @Test func `Where no engine is found the sentence lists the places and the command that fetches it`() {
        let finding = search(["HOME": "/home/ada"]).look(for: "one")
        #expect(finding.taken == nil)
        let text = finding.absence.sentence("the engine", directories: finding.directories)
        #expect(text.hasPrefix("the engine is not in \(folder.path)/backends/one, \(folder.path)/bin/backends/one, "))
        #expect(text.contains("/home/ada/.local/share/halcyon/backends/one, /usr/local/share/halcyon/backends/one, "))
        #expect(text.contains("\(folder.path)/.deps/backends/one, the system's library path. `make deps`"))
        #expect(
            text.hasSuffix(
                "--backend-directory FOLDER or the variable HALCYON_BACKENDS names the folder that holds one/."))
    }

    @Test func `Nothing but the folders is said where nobody has searched`() {
        #expect(
            LibraryAbsence().sentence("the engine", directories: ["/a"])
                == "the engine is not in /a, the system's library path. `make deps`, run in Halcyon's folder, fetches "
                + "it into .deps/backends there.")
    }
}
