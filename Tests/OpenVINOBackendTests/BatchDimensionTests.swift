import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct BatchDimensionTests {
    private func input(_ rows: Int) throws -> Tensor {
        try Tensor(name: "x", shape: [rows, 2], (0..<rows * 2).map { Float($0) })
    }

    private func batching(_ size: Int, _ parameters: [String: String] = [:]) -> (inout ModelConfiguration) -> Void {
        {
            $0.maxBatchSize = size
            $0.parameters = parameters
        }
    }

    @Test func `A fixed batch dimension is opened where the model works with any`() throws {
        let path = try TestModels.doubling([1, 2])
        #expect(try Engine.open(path).signature?.inputs.first?.shape == [1, 2])
        let model = try Engine.load(path, configure: batching(8))
        #expect(model.signature?.inputs.first?.shape == [-1, 2])
        #expect(model.signature?.outputs.first?.shape == [-1, 2])
        let instance = try model.instance()
        for rows in [1, 5, 8] {
            let output = try #require(try instance.run([input(rows)])["doubled"])
            #expect(output.shape == [rows, 2])
            #expect(try output.elements(as: Float.self) == (0..<rows * 2).map { Float($0) * 2 })
        }
    }

    @Test func `A batch dimension that can't be opened is an error that names the input`() throws {
        let path = try TestModels.fixedBatch(4)
        #expect(
            error { try Engine.open(path, configure: batching(3)) }
                == HalcyonError(
                    .invalidArgument,
                    "model 'model': input 'x' has a fixed batch dimension of 4, but max_batch_size is 3; "
                        + "the parameter ENABLE_BATCH_PADDING: \"YES\" fills smaller batches up"))
        #expect(
            error { try Engine.open(path, configure: batching(8, ["ENABLE_BATCH_PADDING": "YES"])) }
                == HalcyonError(
                    .invalidArgument,
                    "model 'model': input 'x' has a fixed batch dimension of 4, but max_batch_size is 8"))
    }

    @Test func `A fixed batch dimension of the maximum takes full batches, and no others`() throws {
        let model = try Engine.load(TestModels.fixedBatch(4), configure: batching(4))
        #expect(model.signature?.inputs.first?.shape == [-1, 2])
        let instance = try model.instance()
        let output = try #require(try instance.run([input(4)])["sum"])
        #expect(try output.elements(as: Float.self) == (0..<8).map { Float($0) * 101 })
        #expect(error { try instance.run([input(3)]) }?.code == .invalidArgument)
        #expect(try instance.run([input(4)])["sum"]?.shape == [4, 2])
    }

    @Test(arguments: 1...4)
    func `With padding a smaller batch is filled up, and its outputs are cut`(rows: Int) throws {
        let instance = try Engine.instance(
            TestModels.fixedBatch(4), configure: batching(4, ["ENABLE_BATCH_PADDING": "YES"]))
        let output = try #require(try instance.run([input(rows)])["sum"])
        #expect(output.shape == [rows, 2])
        #expect(try output.elements(as: Float.self) == (0..<rows * 2).map { Float($0) * 101 })
    }

    @Test func `SKIP_OV_DYNAMIC_BATCHSIZE leaves a fixed dimension as it is`() throws {
        let path = try TestModels.doubling([4, 2])
        #expect(error { try Engine.open(path, configure: batching(8, ["SKIP_OV_DYNAMIC_BATCHSIZE": "YES"])) } != nil)
        let instance = try Engine.instance(path, configure: batching(4, ["SKIP_OV_DYNAMIC_BATCHSIZE": "YES"]))
        #expect(try instance.run([input(4)])["doubled"]?.shape == [4, 2])
        #expect(error { try instance.run([input(2)]) }?.code == .invalidArgument)
    }

    @Test func `A scalar input can't batch`() throws {
        let path = try TestModels.doubling([])
        #expect(error { try Engine.open(path) } == nil)
        let error = error { try Engine.open(path, configure: batching(2)) }
        #expect(error?.message.contains("input 'x' has no dimensions") == true)
    }
}
