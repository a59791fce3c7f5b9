import Foundation
import HalcyonTestKit
import Testing

@testable import ModelRepository

struct ModelFileContentsTests {
    @Test(arguments: [
        ("", "is empty"), ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "run git lfs pull"),
        ("\n<!DOCTYPE html><html>", "is a web page"), ("<HTML>", "is a web page"),
        ("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied", "is the error of a store"),
        ("{\"error\":\"Entry not found\"}", "is an error in JSON"),
        ("<?xml version=\"1.0\"?><net name=\"m\">", "model.xml"),
        ("PK\u{3}\u{4}aaaaarchive/data.pkl", "torch.onnx.export"), ("PK\u{3}\u{4}model.onnx", "is a zip archive"),
        ("GGUF", "is GGUF"), ("\u{1C}\0\0\0TFL3\0\0", "call it model.tflite"),
        ("\u{40}\0\0\0\0\0\0\0{\"__metadata__\"", "is safetensors"),
        (String(repeating: "\0", count: 257) + "ustar", "is a tar archive"),
    ])
    func `What lies there in place of a model is told by its first bytes`(head: String, text: String) {
        #expect(ModelFileContents.describe(Array(head.utf8), filename: "model.onnx")?.contains(text) == true)
    }

    @Test func `Bytes that are no text are told, too`() {
        func told(_ head: [UInt8]) -> String { ModelFileContents.describe(head, filename: "model.onnx") ?? "" }
        #expect(told([0x80, 0x02, 0x8A]).contains("is a pickle of Python"))
        #expect(told([0x1F, 0x8B, 0x08]).contains("gzip"))
        #expect(told([0x89, 0x48, 0x44, 0x46, 0x0D]).contains("HDF5"))
    }

    @Test func `What may be a model is left to its engine`() {
        #expect(ModelFileContents.describe([8, 7, 0x12, 4, 0x74], filename: "model.onnx") == nil)
        #expect(ModelFileContents.describe(Array("<?xml version=\"1.0\"?><net>".utf8), filename: "model.xml") == nil)
    }

    @Test func `Weights beside a model may be pointers, and so may parts of one that is a folder`() throws {
        let folder = try TemporaryFolder.make()
        let pointer = Data("version https://git-lfs.github.com/spec/v1\noid sha256:1\n".utf8)
        try Data([8, 7]).write(to: folder.appendingPathComponent("model.onnx"))
        #expect(ModelFileContents.complaint(folder.path + "/model.onnx") == nil)
        try pointer.write(to: folder.appendingPathComponent("model.onnx_data"))
        #expect(
            ModelFileContents.complaint(folder.path + "/model.onnx")?.hasPrefix(
                "'\(folder.path)/model.onnx_data' is a pointer")
                == true)
        #expect(ModelFileContents.complaint(folder.path)?.contains("git lfs pull") == true)
        #expect(ModelFileContents.complaint(folder.path + "/none") != nil)
    }
}
