import Foundation
import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import OpenVINOBackend
import Tensors
import Testing

@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct OpenVINOModelTests {
    private func signature(
        _ path: String, configure: (inout ModelConfiguration) -> Void = { _ in }
    ) throws -> ModelSignature {
        try #require(try Engine.open(path, configure: configure).signature)
    }

    @Test func `The signature has the model's names, types and open dimensions`() throws {
        let signature = try signature(TestModels.doubling([-1, 3], type: "i32"))
        #expect(
            signature
                == ModelSignature(
                    inputs: [.init(name: "x", elementType: .int32, shape: [-1, 3])],
                    outputs: [.init(name: "doubled", elementType: .int32, shape: [-1, 3])]))
    }

    @Test(arguments: [
        ("boolean", ElementType.bool), ("u8", .uint8), ("u16", .uint16), ("u32", .uint32), ("u64", .uint64),
        ("i8", .int8), ("i16", .int16), ("i32", .int32), ("i64", .int64), ("f16", .fp16), ("bf16", .bf16),
        ("f32", .fp32), ("f64", .fp64),
    ])
    func `Every element type goes in and out unchanged`(name: String, type: ElementType) throws {
        let instance = try Engine.instance(TestModels.identity([-1], type: name))
        let size = try #require(type.byteSize)
        // Every byte is 0 or 1, so that it is a boolean too; as a number of any type it is exact.
        let bytes = (0..<4 * size).map { UInt8($0 % size == 0 ? ($0 / size) % 2 : 0) }
        let input = try Tensor(name: "x", elementType: type, shape: [4], data: TensorBuffer(copying: bytes))
        let output = try #require(try instance.run([input])["x"])
        #expect(output.elementType == type && output.shape == [4])
        #expect(output.data.withUnsafeBytes { Array($0) } == bytes)
    }

    @Test func `An element type without a counterpart is refused with the tensor's name`() throws {
        let path = try TestModels.identity([4], type: "u4")
        #expect(
            error { try Engine.open(path) }
                == HalcyonError(
                    .unsupported,
                    "model 'model': input 'x' has the element type u4, which the openvino backend does not take"))
    }

    @Test func `A tensor goes by that of its names which the configuration uses`() throws {
        let path = try TestModels.doubling([-1, 3], names: ["alpha", "omega"])
        for name in ["alpha", "omega"] {
            let signature = try signature(path) {
                $0.outputs = [TensorConfiguration(name: name, elementType: .fp32, dimensions: [3])]
            }
            #expect(signature.outputs.map(\.name) == [name])
        }
    }

    @Test func `Tensors without names are numbered`() throws {
        let signature = try signature(TestModels.nameless())
        #expect(signature.inputs.map(\.name) == ["input_0"])
        #expect(signature.outputs.map(\.name) == ["output_0"])
    }

    @Test func `A damaged file is an error with its path and the engine's words`() throws {
        let path = try TestModels.doubling([2])
        try Data("<net".utf8).write(to: URL(fileURLWithPath: path))
        let error = try #require(error { try Engine.open(path) })
        #expect(error.code == .invalidArgument)
        #expect(error.message.hasPrefix("model 'model': OpenVINO can't read '\(path)': Unable to read the model"))
        #expect(!error.message.contains("Exception from") && !error.message.contains("\n"))
    }

    @Test func `A model without a file is an error`() throws {
        let error = error {
            try Engine.backend.openModel(
                ModelSource(
                    modelName: "m", version: 1, configuration: ModelConfiguration(name: "m"), modelDirectory: "/",
                    modelPath: nil, log: Engine.log))
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `A property that the engine does not know fails the load with its words`() throws {
        let path = try TestModels.doubling([-1, 2])
        let error = error { try Engine.load(path) { $0.parameters = ["NO_SUCH_PROPERTY": "1"] } }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("OpenVINO can't compile the model") == true)
        #expect(error?.message.contains("Unsupported property NO_SUCH_PROPERTY") == true)
    }

    @Test func `The plan sets streams and threads, and parameters override it`() throws {
        let path = try TestModels.doubling([-1, 2])
        func properties(_ plan: CPUPlan, _ parameters: [String: String] = [:]) throws -> [String: String] {
            let model = try Engine.load(path, plan: plan) { $0.parameters = parameters }
            return Dictionary(uniqueKeysWithValues: model.properties.map { ($0.name, $0.value) })
        }
        let one = try properties(CPUPlan(instances: 1, streams: 1, threads: 1))
        #expect(
            one["streams"] == "1" && one["threads"] == "1" && one["pinning"] == "NO" && one["compile cache"] == "off")
        #expect(one["engine"]?.hasPrefix("OpenVINO 20") == true)
        let overridden = try properties(
            CPUPlan(instances: 1, streams: 1, threads: 1),
            ["INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": "YES"])
        #expect(overridden["precision"] == "f32" && overridden["pinning"] == "YES")
    }

    @Test func `The compile cache is used the second time`() throws {
        let folder = try TemporaryFolder.make()
        let backend = OpenVINOEngine(
            options: .init(libraryDirectories: [Engine.directory], configuration: ["cache_dir": folder.path]))
        let path = try TestModels.fixedBatch(4)
        let values = try (0..<2).map { _ in
            try Engine.load(path, backend: backend).properties.first { $0.name == "compile cache" }?.value
        }
        #expect(values == ["written to \(folder.path)", "read from \(folder.path)"])
    }

    @Test func `Preparing twice, or an instance before, is an error`() throws {
        let model = try Engine.open(TestModels.doubling([2]))
        #expect(error { try model.instance() }?.code == .internal)
        try model.prepare(for: ModelConfiguration(name: "model"), plan: CPUPlan(instances: 1, streams: 1, threads: 1))
        let second = error {
            try model.prepare(
                for: ModelConfiguration(name: "model"), plan: CPUPlan(instances: 1, streams: 1, threads: 1))
        }
        #expect(second?.code == .internal)
    }

    @Test func `RESHAPE_IO_LAYERS gives the inputs the configuration's dimensions`() throws {
        let path = try TestModels.doubling([1, 3])
        let reshaped = try signature(path) {
            $0.inputs = [TensorConfiguration(name: "x", elementType: .fp32, dimensions: [-1, 5])]
            $0.parameters = ["RESHAPE_IO_LAYERS": "YES"]
        }
        #expect(reshaped.inputs.map(\.shape) == [[-1, 5]])
        #expect(reshaped.outputs.map(\.shape) == [[-1, 5]])
        let nothing = error { try Engine.open(path) { $0.parameters = ["RESHAPE_IO_LAYERS": "YES"] } }
        #expect(nothing?.code == .invalidArgument)
        let others = error {
            try Engine.open(path) {
                $0.inputs = [TensorConfiguration(name: "y", elementType: .fp32, dimensions: [1, 3])]
                $0.parameters = ["RESHAPE_IO_LAYERS": "YES"]
            }
        }
        #expect(others == nothing)
    }
}
