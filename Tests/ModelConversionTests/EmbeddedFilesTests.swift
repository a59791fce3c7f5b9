import Foundation
import HalcyonTestKit
import Testing

@testable import ModelConversion

struct EmbeddedFilesTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources/ModelConversion/Python")

    @Test func `Every program and every list of packages is part of the executable`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".py") || $0.hasSuffix(".txt") }
        #expect(EmbeddedFiles.all.map(\.name) == names.sorted())
        for file in EmbeddedFiles.all {
            #expect(try Data(contentsOf: Self.folder.appendingPathComponent(file.name)) == Data(file.bytes))
        }
        for packages in PythonEnvironment.Packages.allCases { #expect(EmbeddedFiles.bytes(packages.file) != nil) }
    }

    @Test func `The engine that converts is the one that serves`() throws {
        let pinned = try String(
            contentsOf: Self.folder.appendingPathComponent("../../../Scripts/requirements/openvino-x86_64.txt"),
            encoding: .utf8)
        let version = try #require(pinned.split(separator: "\n").first { $0.hasPrefix("openvino==") })
            .split(separator: " ")[0]
        let base = String(decoding: try #require(EmbeddedFiles.bytes("requirements_base.txt")), as: UTF8.self)
        #expect(base.contains("\n\(version) "))
    }

    @Test func `Programs are laid out once, and no list of packages with them`() throws {
        let folder = try TemporaryFolder.make().path
        let first = try EmbeddedFiles.unpack(into: folder)
        #expect(try EmbeddedFiles.unpack(into: folder) == first)
        let names = try FileManager.default.contentsOfDirectory(atPath: first)
        #expect(names.contains("convert_model.py"))
        #expect(!names.contains { $0.hasPrefix("requirements") })
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    }
}
