import Foundation
import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import OpenVINOBackend
import Tensors
import Testing

/// Models that come with Triton's examples and with NVIDIA's catalogue.
@Suite(.enabled(if: Engine.hasSharedModels, Comment(rawValue: Engine.sharedAbsent)))
struct SharedModelTests {
    @Test(arguments: 1...8)
    func `The example 'simple' adds and subtracts batches of any size`(rows: Int) throws {
        let instance = try Engine.instance(Engine.sharedModels + "/qa/simple.onnx") { $0.maxBatchSize = 8 }
        let first = (0..<rows * 16).map { Int32($0) }
        let second = first.map { $0 * $0 % 97 }
        let outputs = try instance.run([
            Tensor(name: "INPUT0", shape: [rows, 16], first), Tensor(name: "INPUT1", shape: [rows, 16], second),
        ])
        #expect(outputs["OUTPUT0"]?.shape == [rows, 16])
        #expect(try outputs["OUTPUT0"]?.elements(as: Int32.self) == zip(first, second).map { $0 + $1 })
        #expect(try outputs["OUTPUT1"]?.elements(as: Int32.self) == zip(first, second).map { $0 - $1 })
    }

    @Test func `The example with small integers stays exact`() throws {
        let instance = try Engine.instance(Engine.sharedModels + "/qa/simple_int8.onnx") { $0.maxBatchSize = 8 }
        let first = (0..<16).map { Int8($0) }
        let second = [Int8](repeating: 3, count: 16)
        let outputs = try instance.run([
            Tensor(name: "INPUT0", shape: [1, 16], first), Tensor(name: "INPUT1", shape: [1, 16], second),
        ])
        #expect(try outputs["OUTPUT0"]?.elements(as: Int8.self) == first.map { $0 + 3 })
        #expect(try outputs["OUTPUT1"]?.elements(as: Int8.self) == first.map { $0 - 3 })
    }

    @Test func `A model of text is refused with the tensor's name`() {
        let error = error { try Engine.open(Engine.sharedModels + "/qa/simple_string.onnx") }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("'INPUT0' has the element type string") == true)
    }

    @Test func `PeopleNet's outputs stay as they were while others are computed`() throws {
        let path = Engine.sharedModels + "/peoplenet/peoplenet_int8.onnx"
        let instance = try Engine.instance(path, plan: CPUPlan(instances: 1, streams: 1, threads: 2)) {
            $0.maxBatchSize = 2
        }
        func image(_ value: Float, rows: Int) throws -> Tensor {
            try Tensor(
                name: "input_1", shape: [rows, 3, 544, 960],
                (0..<rows * 3 * 544 * 960).map { $0 % 7 == 0 ? value : 0.5 })
        }
        var held: [(outputs: [String: Tensor], copies: [String: [Float]])] = []
        for (value, rows) in [(0.1, 1), (0.9, 2), (0.4, 1)] as [(Float, Int)] {
            let outputs = try instance.run([image(value, rows: rows)])
            #expect(outputs["output_cov/Sigmoid"]?.shape == [rows, 3, 34, 60])
            held.append((outputs, try outputs.mapValues { try $0.elements(as: Float.self) }))
        }
        for (outputs, copies) in held {
            #expect(try outputs.mapValues { try $0.elements(as: Float.self) } == copies)
        }
        #expect(held[0].copies != held[2].copies)
    }

    @Test(arguments: ["fp32", "int8"])
    func `PeopleNet declares its tensors`(precision: String) throws {
        let path = Engine.sharedModels + "/peoplenet/peoplenet_\(precision).onnx"
        let signature = try #require(try Engine.open(path) { $0.maxBatchSize = 8 }.signature)
        #expect(signature.inputs == [.init(name: "input_1", elementType: .fp32, shape: [-1, 3, 544, 960])])
        #expect(
            Set(signature.outputs) == [
                .init(name: "output_cov/Sigmoid", elementType: .fp32, shape: [-1, 3, 34, 60]),
                .init(name: "output_bbox/BiasAdd", elementType: .fp32, shape: [-1, 12, 34, 60]),
            ])
    }
}

/// The default model of the sample.
@Suite(.enabled(if: Engine.hasPedestrianModel, Comment(rawValue: Engine.pedestrianAbsent)))
struct PedestrianModelTests {
    @Test func `A frozen graph goes by the names of its terminal nodes, whatever the configuration says`() throws {
        let model = try Engine.load(Engine.pedestrianModel) { $0.maxBatchSize = 4 }
        let signature = try #require(model.signature)
        #expect(signature.inputs == [.init(name: "image_tensor", elementType: .uint8, shape: [-1, -1, -1, 3])])
        #expect(
            signature.outputs.map(\.name).sorted()
                == ["detection_boxes", "detection_classes", "detection_scores", "num_detections"])
        let image = [UInt8](repeating: 128, count: 2 * 300 * 300 * 3)
        let outputs = try model.instance().run([Tensor(name: "image_tensor", shape: [2, 300, 300, 3], image)])
        #expect(outputs["detection_boxes"]?.shape == [2, 100, 4])
        #expect(outputs["detection_scores"]?.shape == [2, 100])
        #expect(outputs["num_detections"]?.shape == [2])
    }

    @Test func `With the compile cache a frozen graph is not read again, and is the same model`() throws {
        let folder = try TemporaryFolder.make()
        let backend = OpenVINOEngine(
            options: .init(libraryDirectories: [Engine.directory], configuration: ["cache_dir": folder.path]))
        let image = try Tensor(
            name: "image_tensor", shape: [1, 300, 300, 3], (0..<300 * 300 * 3).map { UInt8($0 * 7 % 256) })
        let loads = try (0..<2).map { _ in
            let model = try Engine.load(Engine.pedestrianModel, backend: backend) { $0.maxBatchSize = 4 }
            let scores = try model.instance().run([image])["detection_scores"]
            return (
                signature: model.signature, scores: try scores?.elements(as: Float.self),
                cache: model.properties.first { $0.name == "compile cache" }?.value
            )
        }
        #expect(loads[0].signature == loads[1].signature)
        #expect(loads[0].scores == loads[1].scores)
        #expect(loads.map(\.cache) == ["written to \(folder.path)", "read from \(folder.path)"])
        let kept = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(kept.contains { $0.hasSuffix(".layout") })
    }
}
