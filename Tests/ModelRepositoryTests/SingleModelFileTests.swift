import Foundation
import HalcyonTestKit
import Tensors
import Testing

@testable import ModelRepository

@Suite struct SingleModelFileTests {
    @Test(arguments: [("m.onnx", "m"), ("m", "m"), ("m.v2.onnx", "m.v2"), ("m.savedmodel", "m")])
    func `A model has its file's name without the ending`(filename: String, name: String) throws {
        let path = try TemporaryFolder.make().appendingPathComponent(filename)
        try Data().write(to: path)
        let model = try #require(try SingleModelFile.named([path.path]).first)
        #expect(model.name.rawValue == name && model.filename == filename)
        #expect(model.configuration == "default_model_filename: \"\(filename)\"\n")
    }

    @Test func `Names that a configuration has to escape`() throws {
        let path = try TemporaryFolder.make().appendingPathComponent("a\\\"b.onnx")
        try Data().write(to: path)
        // A backslash is in no model's name.
        #expect(throws: HalcyonError.self) { try SingleModelFile.named([path.path]) }
        let link = path.deletingLastPathComponent().appendingPathComponent("c.onnx")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: path)
        let model = try #require(try SingleModelFile.named([link.path]).first)
        #expect(model.name.rawValue == "c" && model.configuration == "default_model_filename: \"a\\\\\\\"b.onnx\"\n")
    }
}
