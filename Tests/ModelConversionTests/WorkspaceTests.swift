import Foundation
import HalcyonTestKit
import Tensors
import Testing

@testable import ModelConversion

struct WorkspaceTests {
    private let folder: String
    private let source: SourceModel

    init() throws {
        folder = try TemporaryFolder.make().path
        let model = try TemporaryFolder.make().appendingPathComponent("net.onnx").path
        try Data(Proto.model()).write(to: URL(fileURLWithPath: model))
        source = try SourceInspector.inspect(model)
    }

    private func destination(_ name: String, overwrites: Bool = true) throws -> Destination {
        var request = ConversionRequest(model: source.path)
        request.outputFile = "\(folder)/\(name)"
        request.overwrites = overwrites
        return try Destination(request, source: source)
    }

    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func text(_ name: String) -> String? { try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

    private func workspace(_ destination: Destination, _ files: [String]) throws -> Workspace {
        let workspace = try Workspace(destination)
        for name in files { try write("new", "\(workspace.output)/\(name)") }
        return workspace
    }

    // MARK: Publishing

    @Test func `Where the files can't be put into their place, those before them are there again`() throws {
        for name in ["m.xml", "m.bin", "m.blob", "m.blob.json"] { try write("old", "\(folder)/\(name)") }
        let workspace = try workspace(destination("m.xml"), ["m.xml", "m.bin"])
        // The second renaming finds nothing any more.
        #expect(throws: HalcyonError.self) { try workspace.publish(["m.bin", "m.bin", "m.xml"], configuration: "") }
        workspace.discard()
        #expect(try names() == ["m.bin", "m.blob", "m.blob.json", "m.xml"])
        for name in try names() { #expect(text(name) == "old", "\(name)") }
    }

    @Test func `A folder that has come into the way meanwhile costs nothing`() throws {
        try write("old", "\(folder)/m.xml")
        let workspace = try workspace(destination("m.xml"), ["m.xml", "m.bin"])
        try FileManager.default.createDirectory(atPath: "\(folder)/m.bin", withIntermediateDirectories: false)
        #expect(message { try workspace.publish(["m.bin", "m.xml"], configuration: "") }.contains("m.bin"))
        workspace.discard()
        #expect(try names() == ["m.bin", "m.xml"])
        #expect(text("m.xml") == "old")
    }

    @Test func `A file that somebody else has written meanwhile is not replaced unasked`() throws {
        let workspace = try workspace(destination("m.xml", overwrites: false), ["m.xml"])
        try write("other", "\(folder)/m.xml")
        let error = #expect(throws: HalcyonError.self) { try workspace.publish(["m.xml"], configuration: "") }
        #expect(error?.code == .alreadyExists)
        workspace.discard()
        #expect(text("m.xml") == "other")
    }

    // MARK: What was left behind

    /// As a conversion leaves it that is killed.
    private func leave(_ name: String, replaced: [String]) throws {
        let left = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: left + "/replaced", withIntermediateDirectories: true)
        try write("", left + "/lock")
        for name in replaced { try write("old", left + "/replaced/" + name) }
    }

    @Test func `A conversion that lives keeps its folder, and one that was killed does not`() throws {
        try leave(".m.xml.converting-abcdef", replaced: [])
        try FileManager.default.createDirectory(
            atPath: "\(folder)/.m.xml.converting-empty0", withIntermediateDirectories: false)
        let first = try workspace(destination("m.xml"), ["m.xml"])
        let second = try workspace(destination("m.xml"), ["m.xml"])
        #expect(try names().count == 2)
        #expect(first.output != second.output)
        try first.publish(["m.xml"], configuration: "")
        first.discard()
        second.discard()
        #expect(try names() == ["m.xml"])
    }

    @Test func `The model that a killed conversion had moved away is put back`() throws {
        try leave(".m.xml.converting-abcdef", replaced: ["m.xml", "m.bin"])
        try write("half of the new", "\(folder)/m.bin")
        try Workspace(destination("m.xml")).discard()
        #expect(try names() == ["m.bin", "m.xml"])
        #expect(text("m.bin") == "old")
        #expect(text("m.xml") == "old")
    }

    @Test func `Nothing is put back over a model that is there`() throws {
        try leave(".m.xml.converting-abcdef", replaced: ["m.xml", "m.bin"])
        for name in ["m.xml", "m.bin"] { try write("new", "\(folder)/\(name)") }
        try Workspace(destination("m.xml")).discard()
        #expect(try names() == ["m.bin", "m.xml"])
        #expect(text("m.bin") == "new")
    }
}
