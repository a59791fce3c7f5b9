import Foundation
import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@testable import ONNXRuntimeBackend

@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct ModelTests {
    @Test func `A model says its inputs and outputs`() throws {
        let signature = try Engine.open(ONNXModel.twoOutputs.write()).signature
        #expect(signature?.inputs == [.init(name: "x", elementType: .fp32, shape: [TensorShape.variable, 2])])
        #expect(
            signature?.outputs == [
                .init(name: "doubled", elementType: .fp32, shape: [TensorShape.variable, 2]),
                .init(name: "tripled", elementType: .fp32, shape: [TensorShape.variable, 2]),
            ])
    }

    @Test func `Batches need an open first dimension, or one of 1 for batches of one`() throws {
        let path = try ONNXModel.doubling([1, 2]).write()
        let refused = try #require(error { try Engine.open(path) { $0.maxBatchSize = 4 } })
        #expect(refused.code == .invalidArgument)
        #expect(
            refused.message
                == "model 'model': input 'x' has a fixed batch dimension of 1, so max_batch_size must be 0, but it is 4"
        )
        let one = try Engine.open(path) { $0.maxBatchSize = 1 }
        #expect(one.signature?.inputs.first?.shape == [TensorShape.variable, 2])
        #expect(one.signature?.outputs.first?.shape == [TensorShape.variable, 2])
        #expect(try Engine.open(path).signature?.inputs.first?.shape == [1, 2])
    }

    @Test func `A scalar has an empty shape, unless the configuration says another`() throws {
        let path = try ONNXModel.doubling([]).write()
        #expect(try Engine.open(path).signature?.inputs.first?.shape == TensorShape([]))
        let configured = try Engine.open(path) {
            $0.inputs = [TensorConfiguration(name: "x", elementType: .fp32, dimensions: [2])]
        }
        #expect(configured.signature?.inputs.first?.shape == nil)
    }

    @Test func `What is no tensor is refused`() throws {
        let refused = try #require(error { try Engine.open(ONNXModel.sequence.write()) })
        #expect(refused.code == .unsupported)
        #expect(refused.message.hasPrefix("model 'model': output 'list' is no tensor but a sequence"))
        #expect(refused.message.contains("options={'zipmap': False}"))
    }

    @Test func `Tensors beside what is none are served where the configuration names only those`() throws {
        let model = ONNXModel.sequenceAndTensor
        let x = try Tensor(name: "x", shape: [2], [1, 2] as [Float])
        let label = TensorConfiguration(name: "label", elementType: .fp32, dimensions: [-1])
        let outputs = try Engine.instance(model) { $0.outputs = [label] }.run([x])
        #expect(Set(outputs.keys) == ["label"])
        #expect(try outputs["label"]?.elements(as: Float.self) == [2, 4])
        let refused = try #require(error { try Engine.open(model.write()) })
        #expect(refused.message.hasSuffix("or name only outputs that are tensors in config.pbtxt: 'label'"))
        let named = try #require(
            error {
                try Engine.open(model.write()) {
                    $0.outputs = [label, TensorConfiguration(name: "list", elementType: .fp32, dimensions: [-1])]
                }
            })
        #expect(named.message.contains("output 'list' is no tensor"))
    }

    @Test func `A file that is no model, a model cut short, and none at all each get an error with the path`() throws {
        let file = try TemporaryFolder.make().appendingPathComponent("model.onnx")
        let whole = try Data(contentsOf: URL(fileURLWithPath: ONNXModel.twoOutputs.write()))
        for content in [Data("no model".utf8), whole.prefix(whole.count - 5), nil] {
            if let content { try content.write(to: file) } else { try FileManager.default.removeItem(at: file) }
            let refused = try #require(error { try Engine.open(file.path) })
            #expect(refused.code == .invalidArgument)
            #expect(refused.message.hasPrefix("model 'model': ONNX Runtime can't read '\(file.path)': "))
            #expect(!refused.message.contains("\n"))
        }
    }

    @Test func `An initializer that is an input may be left out, and be brought`() throws {
        let path = try ONNXModel.plusBias.write()
        let signature = try #require(try Engine.open(path).signature)
        #expect(signature.inputs.map(\.isOptional) == [false, true])
        func configure(_ configuration: inout ModelConfiguration) {
            configuration.inputs = [
                TensorConfiguration(name: "x", elementType: .fp32, dimensions: [-1]),
                TensorConfiguration(name: "bias", elementType: .fp32, dimensions: [1]),
            ]
            configuration.inputs[1].isOptional = true
        }
        let model = try Engine.load(path, configure: configure)
        let instance = try model.makeInstance(InstanceIdentity(name: "model_0", kind: .cpu, index: 0))
        let input = try Tensor(name: "x", shape: [2], [1, 2] as [Float])
        let bias = try Tensor(name: "bias", shape: [1], [100] as [Float])
        #expect(try instance.run([input])["y"]?.elements(as: Float.self) == [11, 12])
        #expect(try instance.run([input, bias])["y"]?.elements(as: Float.self) == [101, 102])
        let refused = try #require(
            error {
                try Engine.load(path) {
                    configure(&$0)
                    $0.inputs[0].isOptional = true
                }
            })
        #expect(refused.message.contains("input 'x' can't be optional"))
    }

    @Test func `Weights lie in the model's folder, and large models in a folder of their own`() throws {
        let weight = try ONNXModel.plusWeight(in: "w.bin").write()
        let missing = try #require(error { try Engine.open(weight) })
        #expect(missing.message.hasPrefix("model 'model': its weights 'w' lie in 'w.bin', which is not beside"))
        let folder = URL(fileURLWithPath: weight).deletingLastPathComponent()
        try withUnsafeBytes(of: Float(5)) { Data($0) }.write(to: folder.appendingPathComponent("w.bin"))
        #expect(try Engine.open(weight).signature?.inputs.count == 1)
        let outer = try TemporaryFolder.make().appendingPathComponent("model.onnx")
        try FileManager.default.copyItem(at: folder, to: outer)
        #expect(try Engine.open(outer.path).signature?.inputs.count == 1)
        for name in ["/etc/hostname", "../w.bin", "*/_ORT_MEM_ADDR_/*"] {
            let refused = try #require(error { try Engine.open(ONNXModel.plusWeight(in: name).write()) })
            #expect(refused.code == .invalidArgument)
            #expect(refused.message.contains("only files in the model's own folder are read"))
        }
    }

    @Test func `Sessions may share their threads`() throws {
        let shared = ONNXRuntimeEngine(
            options: .init(
                libraryDirectories: [Engine.directory], configuration: ["enable-global-threadpool": "1"], cores: 2))
        let model = try Engine.open(ONNXModel.doubling([-1]).write(), backend: shared)
        try model.prepare(
            for: ModelConfiguration(name: "model"), plan: CPUPlan(instances: 1, streams: 1, threads: 2))
        let instance = try model.makeInstance(InstanceIdentity(name: "model_0", kind: .cpu, index: 0))
        #expect(try instance.run([Tensor(name: "x", shape: [1], [2 as Float])])["doubled"] != nil)
    }

    @Test func `All instances run on one session`() throws {
        let model = try Engine.load(
            ONNXModel.doubling([-1]).write(), plan: CPUPlan(instances: 3, streams: 2, threads: 4))
        #expect(model.properties.contains { $0.name == "threads of the session" && $0.value == "3" })
        for index in 0..<3 {
            let instance = try model.makeInstance(InstanceIdentity(name: "model_\(index)", kind: .cpu, index: index))
            #expect(try instance.run([Tensor(name: "x", shape: [1], [Float(index)])]).count == 1)
        }
    }

    @Test func `An unknown level of optimisation is refused`() throws {
        let refused = try #require(
            error { try Engine.load(ONNXModel.doubling([-1]).write()) { $0.optimization.graphLevel = 7 } })
        #expect(refused.message.contains("optimization.graph.level is 7; expected -1 (basic), 1 (extended)"))
    }
}

@Suite struct SessionSettingsTests {
    private func settings(
        _ plan: CPUPlan, _ parameters: [String: String] = [:], level: Int = 0
    ) throws -> SessionSettings {
        var configuration = ModelConfiguration(name: "model")
        configuration.optimization.graphLevel = level
        return try .running(
            configuration, ModelParameters(backend: [:], model: parameters, modelName: "model"), plan: plan)
    }

    @Test(arguments: [(1, 1, 1), (1, 2, 2), (2, 2, 1), (2, 4, 3), (3, 4, 2), (4, 3, 1)])
    func `The callers and the session's own threads are as many as the plan says`(
        streams: Int, threads: Int, expected: Int
    ) throws {
        let plan = CPUPlan(instances: streams, streams: streams, threads: threads)
        #expect(try settings(plan).intraOpThreads == expected)
        #expect(try settings(plan).interOpThreads == 1)
    }

    @Test func `Thread counts may be given; 0 is the plan's`() throws {
        let plan = CPUPlan(instances: 1, streams: 1, threads: 4)
        #expect(try settings(plan, ["intra_op_thread_count": "2"]).intraOpThreads == 2)
        #expect(try settings(plan, ["intra_op_thread_count": "0"]).intraOpThreads == 4)
        #expect(try settings(plan, ["execution_mode": "1"]).interOpThreads == 4)
        #expect(try settings(plan, ["execution_mode": "1", "inter_op_thread_count": "3"]).interOpThreads == 3)
    }

    @Test func `Threads rest when no run is left, unless somebody wants it otherwise`() throws {
        let plan = CPUPlan(instances: 1, streams: 1, threads: 4)
        #expect(try settings(plan).sessionEntries == ["session.force_spinning_stop": "1"])
        #expect(try settings(plan, ["session.force_spinning_stop": "0"]).sessionEntries.values.first == "0")
    }

    @Test(arguments: [(0, SessionSettings.GraphOptimization.all), (-1, .basic), (1, .extended), (2, .none)])
    func `Levels of optimisation are Triton's`(
        level: Int, expected: SessionSettings.GraphOptimization
    ) throws {
        let plan = CPUPlan(instances: 1, streams: 1, threads: 1)
        #expect(try settings(plan, level: level).graphOptimization == expected)
    }
}

@Suite struct ModelParametersTests {
    private func parameters(_ model: [String: String], backend: [String: String] = [:]) throws -> ModelParameters {
        try ModelParameters(backend: backend, model: model, modelName: "model")
    }

    @Test func `A model's parameter comes before the backend's`() throws {
        let both = try parameters(["enable_mem_arena": "1"], backend: ["enable_mem_arena": "0", "execution_mode": "1"])
        #expect(both.usesMemoryArena && both.runsOperatorsInParallel)
    }

    @Test func `Parameters that are not the engine's are named`() throws {
        #expect(try parameters(["zeta": "1", "alpha": "2"]).ignored == ["alpha", "zeta"])
    }

    @Test(arguments: [
        ("intra_op_thread_count", "-1", "expected a number of threads up to 1024, or 0 for the model's share"),
        ("sessions_per_gpu", "65", "expected a number of sessions up to 64, or 0 to go by the model and the engine"),
        ("execution_mode", "2", "expected 0 or 1"), ("enable_mem_pattern", "yes", "expected 0 or 1"),
        ("session.optimized_model_external_initializers_file_name", "/x", "not one that a model may set"),
        ("session.resource_cuda_partitioning_settings", "1,/x", "not one that a model may set"),
        ("session.debug_layout_transformation", "1", "not one that a model may set"),
        ("session.a", "1", "--backend-config onnxruntime,session.a=VALUE"),
    ])
    func `Wrong values are refused by name`(name: String, value: String, complaint: String) throws {
        let refused = try #require(error { try parameters([name: value]) })
        #expect(refused.message.hasPrefix("model 'model': parameter '\(name)' "))
        #expect(refused.message.contains(complaint))
    }

    @Test func `A model sets what concerns it alone, the operator everything of a session`() throws {
        #expect(
            try parameters(["session.intra_op.allow_spinning": "0"]).sessionEntries
                == ["session.intra_op.allow_spinning": "0"])
        let name = "session.resource_cuda_partitioning_settings"
        #expect(try parameters([:], backend: [name: "1,/x"]).sessionEntries == [name: "1,/x"])
    }

    @Test func `The backend has no parameter of another name`() throws {
        let refused = try #require(error { try parameters([:], backend: ["threads": "4"]) })
        #expect(refused.message.contains("there is no parameter 'threads'; expected intra_op_thread_count"))
    }
}
