import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@Suite("Models for certain batch sizes", .enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct BatchSizeModelTests {
    private func batching(
        _ size: Int, _ sizes: String, _ dimensions: [Int]? = nil
    ) -> (inout ModelConfiguration) -> Void {
        {
            $0.maxBatchSize = size
            $0.parameters = ["FIXED_BATCH_SIZES": sizes]
            if let dimensions {
                $0.inputs = [TensorConfiguration(name: "x", elementType: .fp32, dimensions: TensorShape(dimensions))]
            }
        }
    }

    private func input(_ rows: Int, _ columns: Int = 2) throws -> Tensor {
        try Tensor(name: "x", shape: [rows, columns], (0..<rows * columns).map { Float($0) })
    }

    @Test(arguments: [[-1, 2], [-1, -1], [1, 2]])
    func `Batches of the sizes and of all others are answered`(_ dimensions: [Int]) throws {
        let model = try Engine.load(TestModels.doubling(dimensions), configure: batching(8, "1,4", [2]))
        #expect(model.signature?.inputs.first?.shape?.dimensions.first == -1)
        #expect(model.properties.contains { $0 == ("FIXED_BATCH_SIZES", "1,4") })
        let instance = try model.instance()
        for rows in [1, 5, 4, 8, 1, 4] {
            let output = try #require(try instance.run([input(rows)])["doubled"])
            #expect(output.shape == [rows, 2])
            #expect(try output.elements(as: Float.self) == (0..<rows * 2).map { Float($0) * 2 })
        }
    }

    @Test func `Dimensions that the configuration leaves open stay so`() throws {
        let model = try Engine.load(TestModels.doubling([-1, -1]), configure: batching(8, "2", [-1]))
        let instance = try model.instance()
        for columns in [2, 3] {
            #expect(try instance.run([input(2, columns)])["doubled"]?.shape == [2, columns])
        }
    }

    @Test func `With RESHAPE_IO_LAYERS it is the configuration that leaves dimensions open`() throws {
        let instance = try Engine.instance(TestModels.doubling([1, 3])) {
            batching(8, "2", [-1])(&$0)
            $0.parameters["RESHAPE_IO_LAYERS"] = "YES"
        }
        for (rows, columns) in [(2, 5), (2, 3), (3, 5)] {
            #expect(try instance.run([input(rows, columns)])["doubled"]?.shape == [rows, columns])
        }
    }

    @Test func `A batch of such a size has the fixed dimensions, and others have not`() throws {
        let instance = try Engine.instance(TestModels.doubling([-1, -1]), configure: batching(8, "2", [3]))
        #expect(try instance.run([input(2, 3)])["doubled"]?.shape == [2, 3])
        // The server refuses such inputs by the configuration; here they show which model runs.
        #expect(error { try instance.run([input(2, 5)]) }?.code == .invalidArgument)
        #expect(try instance.run([input(3, 5)])["doubled"]?.shape == [3, 5])
    }

    @Test func `Without inputs in the configuration the model's own dimensions count`() throws {
        let instance = try Engine.instance(TestModels.doubling([-1, 2]), configure: batching(8, "2"))
        #expect(try instance.run([input(2)])["doubled"]?.shape == [2, 2])
    }

    @Test func `What stands against it is said`() throws {
        func refused(_ path: String, _ size: Int, _ sizes: String) -> HalcyonError? {
            error { try Engine.load(path, configure: batching(size, sizes)) }
        }
        let path = try TestModels.doubling([-1, 2])
        #expect(
            refused(path, 0, "1")
                == HalcyonError(
                    .invalidArgument,
                    "model 'model': parameter 'FIXED_BATCH_SIZES': the model does not batch: max_batch_size is 0"))
        #expect(
            refused(path, 4, "1,8")
                == HalcyonError(
                    .invalidArgument,
                    "model 'model': parameter 'FIXED_BATCH_SIZES': 8 is over max_batch_size, which is 4"))
        #expect(
            refused(try TestModels.fixedBatch(4), 4, "2,4")
                == HalcyonError(
                    .invalidArgument,
                    "model 'model': parameter 'FIXED_BATCH_SIZES': the model itself takes batches of 4 only"))
        #expect(refused(try TestModels.fixedBatch(4), 4, "4") == nil, "it is so already")
        let ragged = error {
            try Engine.load(path) {
                batching(4, "1", [-1])(&$0)
                $0.inputs[0].allowsRaggedBatch = true
            }
        }
        #expect(
            ragged?.message
                == "model 'model': parameter 'FIXED_BATCH_SIZES': input 'x' has rows of any length "
                + "(allow_ragged_batch)")
    }
}
