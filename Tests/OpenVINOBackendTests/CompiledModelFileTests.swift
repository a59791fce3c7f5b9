import COpenVINO
import CompiledModels
import Foundation
import HalcyonTestKit
import LibraryFiles
import Logging
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@testable import OpenVINOBackend

@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct CompiledModelFileTests {
    /// A folder with `model.xml`, `model.bin`, `model.blob` made of them and its stamp.
    private let folder: URL
    private var blob: String { folder.appendingPathComponent("model.blob").path }
    private var ir: URL { folder.appendingPathComponent("model.xml") }
    private let log = CollectingLog()

    init() throws {
        let path = try TestModels.doubling([-1, 2])
        folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try Exporter.export(path, to: folder.appendingPathComponent("model.blob").path)
        try stamp()
    }

    private func stamp(_ change: (inout CompiledModelStamp) -> Void = { _ in }) throws {
        var stamp = CompiledModelStamp(
            engineVersion: try Exporter.version(), processor: .current, blob: try FileChecksum(ofFile: blob),
            sources: [
                "model.xml": try FileChecksum(ofFile: ir.path),
                "model.bin": try FileChecksum(ofFile: folder.appendingPathComponent("model.bin").path),
            ])
        change(&stamp)
        try Data(stamp.text.utf8).write(to: URL(fileURLWithPath: CompiledModelStamp.path(ofBlob: blob)))
    }

    private func load(_ configure: (inout ModelConfiguration) -> Void = { _ in }) throws -> any BackendModel {
        var configuration = ModelConfiguration(name: "model")
        configure(&configuration)
        let model = try Engine.backend.openModel(
            ModelSource(
                modelName: "model", version: 1, configuration: configuration, modelDirectory: folder.path,
                modelPath: blob, log: log.logger))
        try model.prepare(for: configuration, plan: CPUPlan(instances: 1, streams: 1, threads: 1))
        return model
    }

    private func doubles(_ model: any BackendModel) throws -> [Float] {
        let input = try Tensor(name: "x", shape: [1, 2], [1, 2] as [Float])
        return try #require(try model.instance().run([input])["doubled"]).elements(as: Float.self)
    }

    private func removeSource() throws {
        try FileManager.default.removeItem(at: ir)
        try FileManager.default.removeItem(at: folder.appendingPathComponent("model.bin"))
    }

    private func damage() throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: blob))
        bytes[bytes.count / 2] ^= 0x40
        try bytes.write(to: URL(fileURLWithPath: blob))
    }

    @Test func `A compiled model runs, with the model that it was made of beside it and without`() throws {
        #expect(try doubles(load()) == [2, 4])
        #expect(log.messages.contains { $0.contains("taken over compiled") })
        try removeSource()
        let model = try load { $0.maxBatchSize = 8 }
        #expect(model.signature?.inputs == [.init(name: "x", elementType: .fp32, shape: [-1, 2])])
        #expect(model.signature?.outputs.map(\.name) == ["doubled"])
        #expect(try doubles(model) == [2, 4])
    }

    @Test func `Its weights stay as long as it runs`() throws {
        let path = try TestModels.fixedBatch(1)
        let blob = path.replacingOccurrences(of: "model.xml", with: "model.blob")
        try Exporter.export(path, to: blob)
        let stamp = CompiledModelStamp(
            engineVersion: try Exporter.version(), processor: .current, blob: try FileChecksum(ofFile: blob))
        try Data(stamp.text.utf8).write(to: URL(fileURLWithPath: CompiledModelStamp.path(ofBlob: blob)))
        let instance = try Engine.instance(blob)
        // What was freed would be written over.
        let others = (0..<64).map { _ in [UInt8](repeating: 0xAA, count: stamp.blob.byteCount) }
        let input = try Tensor(name: "x", shape: [1, 2], [1, 2] as [Float])
        #expect(try #require(try instance.run([input])["sum"]).elements(as: Float.self) == [1, 102])
        #expect(others.count == 64)
    }

    @Test func `It runs with the settings of the server and of the configuration`() throws {
        let model = try load { $0.parameters = ["INFERENCE_PRECISION_HINT": "f32"] }
        #expect(
            model.properties.contains { $0.name == "precision" && $0.value.contains("f") && $0.value.contains("32") })
        #expect(model.properties.contains { $0.name == "threads" && $0.value == "1" })
        #expect(model.properties.contains { $0.name == "pinning" && $0.value == "NO" })
    }

    @Test func `A damaged one never reaches the engine: the model beside it is used, and the log says why`() throws {
        try damage()
        #expect(try doubles(load()) == [2, 4])
        #expect(log.messages.contains { $0.contains("is not used") && $0.contains("damaged") })
        #expect(!log.messages.contains { $0.contains("taken over") })
        try removeSource()
        let alone = error { try load() }
        #expect(alone?.message.contains("is damaged") == true)
        #expect(alone?.message.contains("is not beside it") == true)
    }

    @Test func `One that is cut short is refused`() throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: blob))
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: blob))
        try removeSource()
        #expect(error { try load() }?.message.contains("were compiled") == true)
    }

    @Test func `One for another engine or another processor is refused, and says for which`() throws {
        try stamp { $0.engineVersion = "2025.1.0-old" }
        #expect(try doubles(load()) == [2, 4])
        #expect(log.messages.contains { $0.contains("compiled by OpenVINO 2025.1.0-old") })
        try removeSource()
        #expect(error { try load() }?.code == .unavailable)
    }

    @Test func `The processor's name and instructions decide`() throws {
        try stamp { $0.processor = ProcessorIdentity(name: "Old Processor", features: ["sse2"]) }
        try removeSource()
        #expect(error { try load() }?.message.contains("compiled for the processor 'Old Processor'") == true)
    }

    @Test func `One that was compiled from another model is out of date`() throws {
        let text = try String(contentsOf: ir, encoding: .utf8)
        try Data((text + "\n").utf8).write(to: ir)
        #expect(try doubles(load()) == [2, 4])
        #expect(log.messages.contains { $0.contains("out of date") })
    }

    @Test func `Without a stamp, or with one that is none, it is not used`() throws {
        let page = URL(fileURLWithPath: CompiledModelStamp.path(ofBlob: blob))
        try Data("{}".utf8).write(to: page)
        #expect(try doubles(load()) == [2, 4])
        #expect(log.messages.contains { $0.contains("does not say what it was compiled for") })
        try FileManager.default.removeItem(at: page)
        try removeSource()
        #expect(error { try load() }?.message.contains("model.blob.json") == true)
    }

    @Test func `Where the configuration changes the model it is compiled anew`() throws {
        let model = try load {
            $0.inputs = [TensorConfiguration(name: "x", elementType: .fp32, dimensions: [1, 2])]
            $0.parameters = ["RESHAPE_IO_LAYERS": "YES"]
        }
        #expect(try doubles(model) == [2, 4])
        #expect(log.messages.contains { $0.contains("the configuration changes the model's inputs") })
    }
}

/// Makes compiled models as the converter does.
private enum Exporter {
    static func version() throws -> String { try Library.open(directories: [Engine.directory]).version }

    static func export(_ model: String, to blob: String) throws {
        let library = try Library.open(directories: [Engine.directory])
        let runtime = try Runtime(library: library, extensionPath: nil)
        let functions = library.functions
        let compiled = try library.make(free: functions.ov_compiled_model_free, "no compiled model") {
            functions.ov_core_compile_model_from_file_props(runtime.core.pointer, model, "CPU", 0, nil, $0)
        }
        let handle = try #require(dlopen(library.path, RTLD_NOW | RTLD_NOLOAD))
        let symbol = try #require(dlsym(handle, "ov_compiled_model_export_model"))
        typealias Export = @convention(c) (OpaquePointer, UnsafePointer<CChar>) -> Int32
        #expect(unsafeBitCast(symbol, to: Export.self)(compiled.pointer, blob) == 0)
        library.keepOpen()
    }
}

/// Keeps what is logged.
private final class CollectingLog: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []

    var messages: [String] { lock.withLock { lines } }
    var logger: Logger { Logger(label: "test") { _ in Handler(owner: self) } }

    private struct Handler: LogHandler {
        let owner: CollectingLog
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let values = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            owner.lock.withLock { owner.lines.append("\(event.message) \(values)") }
        }
    }
}
