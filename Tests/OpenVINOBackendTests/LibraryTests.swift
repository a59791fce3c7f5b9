import Foundation
import HalcyonTestKit
import LibraryFiles
import Tensors
import Testing

@testable import OpenVINOBackend

@Suite struct LibraryTests {
    private let folder: URL

    init() throws {
        folder = try TemporaryFolder.make()
    }

    private func openError() -> HalcyonError? {
        error { try Library.open(directories: ["/nonexistent", folder.path], systemNames: []) }
    }

    private func put(_ data: Data, as name: String) throws { try data.write(to: folder.appendingPathComponent(name)) }

    @Test func `A missing runtime is reported with what to install and where it was looked for`() throws {
        let error = try #require(openError())
        #expect(error.code == .unavailable)
        #expect(
            error.message.hasPrefix("the OpenVINO runtime (libopenvino_c.so) is not in /nonexistent, \(folder.path)"))
        #expect(error.message.contains("package 'openvino' (2026.4.1) on PyPI"))
    }

    @Test func `A file that is no library is reported by name`() throws {
        try put(Data("not a library".utf8), as: "libopenvino_c.so.2641")
        let error = try #require(openError())
        #expect(error.code == .unavailable)
        #expect(error.message.contains("'\(folder.path)/libopenvino_c.so.2641' is no complete library"))
    }

    @Test(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
    func `A library that was cut short is reported, not opened`() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: Engine.directory + "/libtbb.so.12"))
        try put(whole, as: "libopenvino_c.so.2641")
        try put(whole.prefix(whole.count / 2), as: "libtbb.so.12")
        #expect(openError()?.message.contains("'\(folder.path)/libtbb.so.12' is no complete library") == true)
    }

    @Test(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
    func `A library without the engine's functions is reported with the first that is missing`() throws {
        try put(try Data(contentsOf: URL(fileURLWithPath: Engine.directory + "/libtbb.so.12")), as: "libopenvino_c.so")
        let error = try #require(openError())
        #expect(error.code == .unavailable)
        #expect(error.message.contains("'\(folder.path)/libopenvino_c.so' has no function 'ov_get_error_info'"))
    }

    @Test(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
    func `The runtime says its version`() throws {
        let library = try Library.open(directories: [Engine.directory], systemNames: [])
        #expect(library.version.hasPrefix("20"))
        #expect(library.path.hasPrefix(Engine.directory + "/libopenvino_c.so"))
    }

    @Test func `The highest version of several is taken`() throws {
        for name in ["libopenvino_c.so.999", "libopenvino_c.so.2641", "libopenvino_c.so"] {
            try put(Data(), as: name)
        }
        #expect(LibraryFolder.newest("libopenvino_c.so", in: folder.path) == "\(folder.path)/libopenvino_c.so.2641")
    }
}
