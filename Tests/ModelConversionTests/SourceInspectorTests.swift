import Foundation
import HalcyonTestKit
import Tensors
import Testing

@testable import ModelConversion

struct SourceInspectorTests {
    private static let noBytes: [UInt8] = []

    @Test func `A format shows in the content, not in the name`() throws {
        #expect(try inspect("a.bin", Proto.model()).format == .onnx)
        #expect(try inspect("a.bin", Proto.graph()).format == .tensorFlowGraph)
        #expect(try inspect("a.bin", [28, 0, 0, 0] + Array("TFL3".utf8)).format == .tensorFlowLite)
        #expect(try inspect("a.bin", Array("<?xml version=\"1.0\"?>\n<net name=\"x\"></net>".utf8)).format == .openVINO)
        #expect(try inspect("a.etlt", Proto.container()).format == .encrypted)
        #expect(try inspect("a.bin", Proto.container(), hasKey: true).format == .encrypted)
    }

    @Test func `An ONNX file says its inputs, without its weights, and every tensor that may be an output`() throws {
        let model = try inspect("a.onnx", Proto.model(inputs: [("x", [-1, 3]), ("w", [3])], initializers: ["w"]))
        #expect(model.inputs == [.init(name: "x", dimensions: [-1, 3])])
        #expect(model.outputs?.map(\.name) == ["y"])
        #expect(model.outputNames == ["hidden", "y"])
    }

    @Test func `A frozen graph says its placeholders and nodes`() throws {
        let model = try inspect("a.pb", Proto.graph())
        #expect(model.inputs?.map(\.name) == ["image"])
        #expect(model.outputNames == ["boxes", "image"])
    }

    @Test func `A saved model is a folder`() throws {
        let folder = try TemporaryFolder.make()
        #expect(throws: HalcyonError.self) { try SourceInspector.inspect(folder.path) }
        try Data([0x08, 1, 0x12, 0]).write(to: folder.appendingPathComponent("saved_model.pb"))
        #expect(try SourceInspector.inspect(folder.path).format == .savedModel)
        let page = message { try SourceInspector.inspect(folder.appendingPathComponent("saved_model.pb").path) }
        #expect(page.contains("give the folder"))
    }

    @Test(arguments: [1, 9, 30, 60])
    func `A file that is cut short is no model`(missing: Int) throws {
        let whole = Proto.model()
        let text = message { try inspect("a.onnx", Array(whole.dropLast(missing))) }
        #expect(text.contains("cut short") || text.contains("damaged"), "\(text)")
        #expect(text.contains("a.onnx"))
    }

    @Test func `What is no model is said to be what it is`() throws {
        #expect(message { try inspect("a.onnx", Array("PK\u{3}\u{4}aaaa".utf8)) }.contains("ZIP"))
        #expect(message { try inspect("a.pb", Array("<!DOCTYPE html><html>".utf8)) }.contains("web page"))
        #expect(message { try inspect("a.pb", Array("version https://git-lfs.github".utf8)) }.contains("Git LFS"))
        #expect(message { try inspect("a.h5", [0x89, 0x48, 0x44, 0x46, 0, 0]) }.contains("HDF5"))
        #expect(message { try inspect("a.x", Array("hello, this is text".utf8)) }.contains("no model that is known"))
        #expect(message { try inspect("a.onnx", Self.noBytes) }.contains("is empty"))
        #expect(message { try SourceInspector.inspect("/nowhere/model.onnx") }.contains("/nowhere/model.onnx"))
    }

    @Test func `A pipe is not waited for`() throws {
        let path = try TemporaryFolder.make().appendingPathComponent("model.onnx").path
        #expect(mkfifo(path, 0o600) == 0)
        #expect(message { try SourceInspector.inspect(path) }.contains("is not a file"))
    }

    @Test func `An IR needs its end and its weights`() throws {
        let cut = "<?xml version=\"1.0\"?><net name=\"x\"><layers>"
        #expect(message { try inspect("a.xml", Array(cut.utf8)) }.contains("cut short"))
        let constant = "<?xml version=\"1.0\"?><net name=\"x\"><layer type=\"Const\"/></net>"
        #expect(message { try inspect("a.xml", Array(constant.utf8)) }.contains("'a.bin'"))
        #expect(
            message { try inspect("a.xml", Array("<?xml version=\"1.0\"?><svg/>".utf8)) }.contains("no OpenVINO IR"))
    }

    @Test(arguments: ["../weights.bin", "/etc/passwd", "a/../../b", "a\\b", ""])
    func `Weights outside of the model's folder are refused`(location: String) throws {
        let text = message { try inspect("a.onnx", Proto.model(external: location)) }
        #expect(text.contains("only files in the model's own folder"), "\(text)")
    }

    @Test func `Weights in a subgraph are looked at as well`() throws {
        let inner = Proto.field(5, Proto.tensor("hidden", external: "../x"))
        let node = Proto.field(5, Proto.field(6, inner))
        let model = Proto.varint(1, 8) + Proto.field(7, Proto.field(1, node))
        #expect(message { try inspect("a.onnx", model) }.contains("'../x'"))
    }

    @Test func `Weights must be there, and no link that leads out`() throws {
        #expect(message { try inspect("a.onnx", Proto.model(external: "w.bin")) }.contains("weights are missing"))
        let folder = try TemporaryFolder.make()
        let outside = try TemporaryFolder.make().appendingPathComponent("w.bin")
        try Data([1]).write(to: outside)
        let link = folder.appendingPathComponent("w.bin")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: outside)
        let path = folder.appendingPathComponent("a.onnx").path
        try Data(Proto.model(external: "w.bin")).write(to: URL(fileURLWithPath: path))
        #expect(message { try SourceInspector.inspect(path) }.contains("link"))
        try FileManager.default.removeItem(at: link)
        try Data([1]).write(to: link)
        #expect(try SourceInspector.inspect(path).format == .onnx)
    }

    @Test func `Absurd dimensions are refused`() throws {
        let huge = Proto.model(inputs: [("x", [1_000_000, 1_000_000, 1_000_000])])
        #expect(message { try inspect("a.onnx", huge) }.contains("no machine could hold"))
        let negative = Proto.model(inputs: [("x", [1 << 62, 1 << 62])])
        #expect(message { try inspect("a.onnx", negative) }.contains("no machine could hold"))
    }

    @Test func `Graphs in graphs end somewhere`() throws {
        var graph = Proto.field(5, Proto.tensor("t", external: nil))
        for _ in 0..<200 { graph = Proto.field(1, Proto.field(5, Proto.field(6, graph))) }
        #expect(message { try inspect("a.onnx", Proto.varint(1, 8) + Proto.field(7, graph)) }.contains("nested"))
    }

    @Test func `Noise never gets further than an error`() throws {
        var state: UInt64 = 42
        func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let whole = Proto.model(inputs: [("x", [-1, 3])], initializers: ["w"])
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<3 { bytes[Int(next()) % bytes.count] = next() }
            _ = message { try inspect("a.onnx", bytes) }
        }
    }

    // MARK: Support

    private func inspect(_ name: String, _ bytes: [UInt8], hasKey: Bool = false) throws -> SourceModel {
        let file = try TemporaryFolder.make().appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return try SourceInspector.inspect(file.path, hasKey: hasKey)
    }
}

/// The message of the error that `body` throws; empty where it throws none.
func message(of body: () throws -> some Any) -> String {
    do {
        _ = try body()
        return ""
    } catch {
        return (error as? HalcyonError)?.message ?? "\(error)"
    }
}
