import Foundation
import HalcyonTestKit
import Tensors
import Testing

@testable import ModelFiles

@Suite("Weights beside a model's file")
struct ModelWeightsTests {
    private typealias Message = ProtobufMessage

    /// A tensor whose data lie in a file.
    private static func tensor(_ location: String, offset: String? = nil, length: String? = nil) -> Message {
        var tensor = Message().adding(8, "W").adding(14, 1)
        for (key, value) in [("location", location), ("offset", offset), ("length", length)] {
            guard let value else { continue }
            tensor = tensor.adding(13, Message().adding(1, key).adding(2, value))
        }
        return tensor
    }

    private static func node(_ attribute: Message) -> Message { Message().adding(4, "Constant").adding(5, attribute) }

    /// The places in a model where a tensor may stand.
    private static func models(_ tensor: Message) -> [String: Message] {
        let graph = Message().adding(5, tensor)
        let sparse = Message().adding(2, tensor)
        func inGraph(_ node: Message) -> Message { Message().adding(7, Message().adding(1, node)) }
        return [
            "an initializer": Message().adding(1, 8).adding(7, graph),
            "a sparse initializer": Message().adding(7, Message().adding(15, sparse)),
            "an attribute": inGraph(node(Message().adding(5, tensor))),
            "attributes": inGraph(node(Message().adding(10, tensor))),
            "a sparse attribute": inGraph(node(Message().adding(22, sparse))),
            "sparse attributes": inGraph(node(Message().adding(23, sparse))),
            "a graph in a node": inGraph(node(Message().adding(6, graph))),
            "graphs in a node": inGraph(node(Message().adding(11, graph))),
            "a graph in a graph in a node": inGraph(
                node(Message().adding(6, Message().adding(1, node(Message().adding(6, graph)))))),
            "a function": Message().adding(25, Message().adding(7, node(Message().adding(5, tensor)))),
            "a function's default": Message().adding(25, Message().adding(11, Message().adding(5, tensor))),
            "training": Message().adding(20, Message().adding(2, graph)),
            "a graph that stands there twice": Message().adding(7, graph).adding(7, Message().adding(2, "main")),
        ]
    }

    @Test("A model's operators are counted in all graphs, and its bytes with those beside the file")
    func summary() throws {
        func node(_ type: String) -> Message { Message().adding(4, type) }
        let inner = node("If").adding(5, Message().adding(6, Message().adding(1, node("Conv"))))
        let graph = Message().adding(1, node("Relu")).adding(1, inner).adding(5, Self.tensor("w", length: "1000"))
        let message = Message().adding(7, graph).adding(25, Message().adding(7, node("Gemm")))
        let file = try TemporaryFolder.make().appendingPathComponent("model.onnx")
        try message.data.write(to: file)
        let summary = ONNXSummary(of: file.path)
        let byteCount = message.data.count + 1000
        #expect(summary == ONNXSummary(operators: ["Relu", "If", "Conv", "Gemm"], byteCount: byteCount))
        try Data("no model".utf8).write(to: file)
        #expect(ONNXSummary(of: file.path) == ONNXSummary(byteCount: 8))
        #expect(ONNXSummary(of: file.path + "x") == ONNXSummary(byteCount: 0))
    }

    private static func complaint(
        _ message: Message, named name: String = "model.onnx", files: [String: Int] = [:]
    ) throws -> String? {
        let folder = try TemporaryFolder.make()
        for (name, size) in files {
            let file = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(count: size).write(to: file)
        }
        let model = folder.appendingPathComponent(name)
        try message.data.write(to: model)
        do {
            try ModelWeights.check(model.path)
            return nil
        } catch {
            #expect(error.code == .invalidArgument)
            return error.message
        }
    }

    @Test("Wherever a tensor stands in a model, what it names has to be a file in the model's own folder")
    func places() throws {
        for (place, model) in Self.models(Self.tensor("../other/1/model.onnx")) {
            let complaint = try Self.complaint(model)
            #expect(complaint?.contains("only files in the model's own folder are read") == true, "\(place)")
        }
        for (place, model) in Self.models(Self.tensor("weights/w.bin", offset: "8", length: "8")) {
            #expect(try Self.complaint(model, files: ["weights/w.bin": 16]) == nil, "\(place)")
        }
    }

    @Test(
        "What is no name of a file in the folder is refused before anything is opened",
        arguments: [
            "", "/etc/passwd", "..", "../w.bin", "a/../../w.bin", "*/_ORT_MEM_ADDR_/*", "a\\b", "w\0.bin", "a/", ".",
        ])
    func names(name: String) throws {
        let complaint = try Self.complaint(Message().adding(7, Message().adding(5, Self.tensor(name))))
        #expect(complaint?.hasPrefix("its weights 'W' lie in '") == true, "\(complaint ?? "")")
    }

    @Test("An address in memory is no file, even where a file has its name")
    func address() throws {
        let model = Message().adding(7, Message().adding(5, Self.tensor("*/_ORT_MEM_ADDR_/*", offset: "4096")))
        let complaint = try Self.complaint(model, files: ["*/_ORT_MEM_ADDR_/*": 8192])
        #expect(complaint?.contains("only files in the model's own folder") == true)
    }

    @Test("A file that is not there, too short, or none at all")
    func files() throws {
        func check(_ tensor: Message, _ files: [String: Int]) throws -> String {
            try Self.complaint(Message().adding(7, Message().adding(5, tensor)), files: files) ?? ""
        }
        #expect(try check(Self.tensor("w.bin"), [:]).contains("which is not beside the model's file"))
        #expect(try check(Self.tensor("w"), ["w/x": 1]).contains("which is no plain file"))
        #expect(try check(Self.tensor("w", offset: "8", length: "9"), ["w": 16]).contains("which has 16 bytes"))
        #expect(
            try check(Self.tensor("w", offset: "\(UInt64.max)", length: "9"), ["w": 16]).contains("which has 16 bytes"))
        #expect(try check(Self.tensor("w", offset: "-1"), ["w": 16]).contains("expected a number of bytes"))
        let twice = Self.tensor("w").adding(13, Message().adding(1, "location").adding(2, "/etc/passwd"))
        #expect(try check(twice, ["w": 16]).contains("two values for 'location'"))
    }

    @Test("The format is told by the content, whatever a file is called")
    func otherNames() throws {
        let model = Message().adding(7, Message().adding(5, Self.tensor("/etc/passwd")))
        for name in ["model.pb", "model.graphdef", "model.tflite", "weights"] {
            #expect(try Self.complaint(model, named: name) != nil, "\(name)")
        }
    }

    @Test("A field in a form that programs no longer write does not hide what follows")
    func unusualFields() throws {
        var group = Message()
        group = group.adding(7, Message().adding(5, Self.tensor("/etc/passwd")))
        let hidden = Data([0x53, 0x54]) + group.data
        let folder = try TemporaryFolder.make()
        let file = folder.appendingPathComponent("model.onnx")
        try hidden.write(to: file)
        let error = #expect(throws: HalcyonError.self) { try ModelWeights.check(file.path) }
        #expect(error?.message.contains("is no model that can be read") == true)
    }

    @Test("What was compiled for a provider lies beside the model as well")
    func compiledContext() throws {
        func model(_ mode: UInt64, _ file: String) -> Message {
            let node = Message().adding(3, "engine").adding(4, "EPContext")
                .adding(5, Message().adding(1, "embed_mode").adding(3, mode))
                .adding(5, Message().adding(1, "ep_cache_context").adding(4, file))
            return Message().adding(7, Message().adding(1, node))
        }
        #expect(try Self.complaint(model(0, "/etc/passwd"))?.contains("only files in the model's own folder") == true)
        #expect(try Self.complaint(model(0, "engine.bin"), files: ["engine.bin": 1]) == nil)
        #expect(try Self.complaint(model(1, "/etc/passwd")) == nil, "the text is the engine itself")
    }

    @Test("Other formats, and what is no model, are left to the engine")
    func others() throws {
        let folder = try TemporaryFolder.make()
        for (name, content) in [
            ("model.xml", "\u{FEFF}\n<?xml version=\"1.0\"?><net/>"), ("model.onnx", "no model"), ("empty.onnx", ""),
            ("model.tflite", "\u{1C}\0\0\0TFL3\u{13}"),
        ] {
            let file = folder.appendingPathComponent(name)
            try Data(content.utf8).write(to: file)
            #expect(throws: Never.self, "\(name)") { try ModelWeights.check(file.path) }
        }
        #expect(throws: Never.self) { try ModelWeights.check("\(folder.path)/absent") }
    }

    @Test("The weights of an older PaddlePaddle model are files in its folder")
    func paddle() throws {
        func check(_ name: String, persistent: UInt64) throws {
            let folder = try TemporaryFolder.make()
            let variable = Message().adding(1, name).adding(3, persistent)
            try Message().adding(1, Message().adding(3, variable)).data.write(
                to: folder.appendingPathComponent("__model__"))
            try ModelWeights.check(folder.path)
        }
        #expect(throws: HalcyonError.self) { try check("../../../etc/passwd", persistent: 1) }
        #expect(throws: Never.self) { try check("../../../etc/passwd", persistent: 0) }
        #expect(throws: Never.self) { try check("conv/weights", persistent: 1) }
    }
}
