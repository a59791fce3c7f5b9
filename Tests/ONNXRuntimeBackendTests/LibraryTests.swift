import Foundation
import HalcyonTestKit
import Tensors
import Testing

@testable import ONNXRuntimeBackend

@Suite struct LibraryTests {
    private let folder: URL

    init() throws { folder = try TemporaryFolder.make() }

    private func openError() -> HalcyonError? {
        error { try Library.open(directories: ["/nonexistent", folder.path], systemNames: []) }
    }

    private func put(_ data: Data) throws {
        try data.write(to: folder.appendingPathComponent("libonnxruntime.so.1.9.0"))
    }

    @Test func `A missing runtime is reported with what to install and where it was looked for`() throws {
        let error = try #require(openError())
        #expect(error.code == .unavailable)
        #expect(error.message.hasPrefix("ONNX Runtime (libonnxruntime.so) is not in /nonexistent, \(folder.path)"))
        #expect(error.message.contains("package 'onnxruntime' (1.32.0) on PyPI"))
    }

    @Test func `A file that is no library is reported by name`() throws {
        try put(Data("not a library".utf8))
        #expect(
            openError()?.message.contains("'\(folder.path)/libonnxruntime.so.1.9.0' is no complete library") == true)
    }

    @Test(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
    func `A library that was cut short is reported, not opened`() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: #require(Engine.library)))
        try put(whole.prefix(whole.count / 2))
        #expect(openError()?.message.contains("is no complete library") == true)
    }

    @Test(.enabled(if: Engine.hasOtherLibrary, "there is no library of OpenVINO in .deps"))
    func `Another library under its name is reported`() throws {
        try put(Data(contentsOf: URL(fileURLWithPath: Engine.otherLibrary)))
        let error = try #require(openError())
        #expect(error.code == .unavailable)
        #expect(error.message.contains("is not ONNX Runtime: it has no OrtGetApiBase"))
    }

    @Test(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
    func `The runtime says its version`() throws {
        let library = try Library.open(directories: [Engine.directory], systemNames: [])
        #expect(library.version.hasPrefix("1."))
        #expect(library.path == Engine.library)
        #expect(Library.isInstalled(directories: [Engine.directory]))
    }
}
