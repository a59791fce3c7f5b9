import Foundation
import HalcyonTestKit
import ModelConfigurations
import Tensors
import Testing

@testable import OpenVINOBackend

@Suite struct LayoutCacheTests {
    private let folder: URL
    private let model: String
    private let layout = TensorLayout(
        inputs: [Port(name: "image\twith a tab", elementType: .uint8, dimensions: [.any, .exactly(3)])],
        outputs: [
            Port(name: "boxes", elementType: .fp32, dimensions: [Port.Dimension(minimum: 1, maximum: 8), .exactly(4)]),
            Port(name: "scalar", elementType: .int64, dimensions: []),
            Port(name: "unknown", elementType: .bool, dimensions: nil),
        ],
        batch: .open)

    init() throws {
        folder = try TemporaryFolder.make()
        model = folder.appendingPathComponent("model.graphdef").path
        try Data("graph".utf8).write(to: URL(fileURLWithPath: model))
    }

    private func cache(
        path: String? = nil, version: String = "1", parameters: [String: String] = [:],
        configure: (inout ModelConfiguration) -> Void = { _ in }
    ) throws -> LayoutCache? {
        var configuration = ModelConfiguration(name: "m")
        configure(&configuration)
        return LayoutCache(
            path: path ?? model, engineVersion: version, configuration: configuration,
            parameters: try ModelParameters(
                backend: ["cache_dir": folder.path], model: parameters, modelName: "m"))
    }

    @Test func `What is stored comes back`() throws {
        let cache = try #require(try cache())
        #expect(cache.layout() == nil)
        cache.store(layout)
        #expect(cache.layout() == layout)
        #expect(try self.cache()?.layout() == layout)
    }

    @Test func `Whatever the layout depends on makes an entry out of date`() throws {
        try cache()?.store(layout)
        #expect(try cache(version: "2")?.layout() == nil)
        #expect(try cache { $0.maxBatchSize = 4 }?.layout() == nil)
        #expect(
            try cache { $0.outputs = [TensorConfiguration(name: "b", elementType: .fp32, dimensions: [1])] }?.layout()
                == nil)
        try Data("another graph".utf8).write(to: URL(fileURLWithPath: model))
        #expect(try cache()?.layout() == nil)
    }

    @Test func `A layout that the file alone does not have is not kept`() throws {
        for batch in [BatchDimension.opened, .fixed(size: 4, pads: true)] {
            try cache()?.store(TensorLayout(inputs: [], outputs: [], batch: batch))
            #expect(try cache()?.layout() == nil)
        }
    }

    @Test func `Only formats of one file are kept, and only without a reshape`() throws {
        #expect(try cache(path: folder.path) == nil)
        #expect(try cache(path: folder.path + "/model.onnx") == nil)
        #expect(try cache(parameters: ["RESHAPE_IO_LAYERS": "YES"]) == nil)
        #expect(try cache(parameters: ["CACHE_DIR": ""]) == nil)
    }

    @Test func `A damaged entry is no entry`() throws {
        try cache()?.store(layout)
        let entry = try #require(
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .first { $0.pathExtension == "layout" })
        let whole = try Data(contentsOf: entry)
        for damaged in [Data(), whole.prefix(20), whole + Data("\nnonsense".utf8)] {
            try damaged.write(to: entry)
            #expect(try cache()?.layout() == nil)
        }
    }
}
