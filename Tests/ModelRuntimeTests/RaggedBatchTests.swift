import HalcyonTestKit
import ModelConfigurations
import Tensors
import Testing

@testable import ModelRuntime

@Suite("Requests of different shapes in one batch")
struct RaggedBatchTests {
    private typealias Outcome = Result<InferenceResponse, HalcyonError>

    private static func configuration(_ type: ElementType = .int32) -> ModelConfiguration {
        var configuration = ExecutorFixture.configuration(batching: DynamicBatching(), dimensions: [-1])
        configuration.inputs[0].allowsRaggedBatch = true
        configuration.batchInputs = BatchInput.Kind.allCases.map {
            BatchInput(kind: $0, targetNames: [$0.rawValue], elementType: type, sourceInput: "IN")
        }
        configuration.batchOutputs = [BatchOutput(targetNames: ["OUT"], sourceInput: "IN")]
        return configuration
    }

    private static func request(_ values: [Float], items: Int = 1) throws -> InferenceRequest {
        InferenceRequest(
            modelName: "test",
            inputs: [try Tensor(name: "IN", shape: [items, values.count / items], values)])
    }

    /// What each batch had, and what each request got.
    private func run(
        _ configuration: ModelConfiguration, _ requests: [InferenceRequest]
    ) throws -> (batches: [[String: Tensor]], outcomes: [Outcome]) {
        let gate = Gate()
        let batches = Collected<[String: Tensor]>()
        let fixture = try ExecutorFixture(configuration) { batch, _ in
            if batch.batchSize == 1, batch.inputs[0].shape == [7] {
                gate.pass()
            } else {
                batches.add(Dictionary(uniqueKeysWithValues: batch.inputs.map { ($0.name, $0) }))
            }
            var output = batch.inputs[0]
            output.name = "OUT"
            return [output]
        }
        defer { fixture.stop() }
        let outcomes = Collected<Outcome>()
        // Keeps the instance busy until all others wait.
        fixture.executor.submit(
            try Self.request([Float](repeating: 0, count: 7)), from: .nonBlocking, handler: { _ in })
        gate.waitForArrivals(1)
        for request in requests { fixture.executor.submit(request, from: .nonBlocking) { outcomes.add($0) } }
        gate.open()
        let all = outcomes.wait(for: requests.count)
        return (batches.values, all)
    }

    @Test("The elements stand one after the other, and the inputs made beside them say whose they are")
    func inputs() throws {
        let (batches, outcomes) = try run(
            Self.configuration(),
            [Self.request([1, 2, 3]), Self.request([4, 5, 6, 7], items: 2), Self.request([8])])
        let batch = try #require(batches.first)
        #expect(batches.count == 1)
        #expect(batch["IN"]?.shape == [8])
        #expect(try batch["IN"]?.elements(as: Float.self) == [1, 2, 3, 4, 5, 6, 7, 8])
        func expect(_ kind: BatchInput.Kind, _ shape: TensorShape, _ values: [Int32]) throws {
            let tensor = try #require(batch[kind.rawValue])
            #expect(tensor.shape == shape, "\(kind)")
            #expect(try tensor.elements(as: Int32.self) == values, "\(kind)")
        }
        try expect(.elementCount, [3], [3, 4, 1])
        try expect(.accumulatedElementCount, [3], [3, 7, 8])
        try expect(.accumulatedElementCountWithZero, [4], [0, 3, 7, 8])
        try expect(.maxElementCountAsShape, [4], [0, 0, 0, 0])
        try expect(.itemShape, [4, 1], [3, 2, 2, 1])
        try expect(.itemShapeFlatten, [4], [3, 2, 2, 1])
        let outputs = try outcomes.map { try $0.get().output("OUT") }
        #expect(outputs.map(\.shape) == [[1, 3], [2, 2], [1, 1]])
        #expect(try outputs.map { try $0.elements(as: Float.self) } == [[1, 2, 3], [4, 5, 6, 7], [8]])
    }

    @Test("An output that is its ragged input comes apart as the requests' inputs do")
    func outputsLikeInputs() throws {
        var configuration = Self.configuration()
        configuration.batchInputs = []
        configuration.batchOutputs = []
        let scatter = Scatter(configuration, outputsLikeInputs: ["OUT": "IN", "OTHER": "PLAIN"])
        #expect(scatter.outputsLikeInputs == ["OUT": "IN"], "only what is ragged")
        let ragged = try #require(RaggedBatch(configuration, outputsLikeInputs: scatter.outputsLikeInputs))
        let output = try Tensor(name: "OUT", shape: [5], [1, 2, 3, 4, 5] as [Float])
        let requests = try [Self.request([1, 2]), Self.request([3, 4, 5])]
        let parts = try ragged.parts(of: output, requests: requests.map(\.inputs))
        #expect(parts.map(\.shape) == [[1, 2], [1, 3]])
        #expect(try parts.map { try $0.elements(as: Float.self) } == [[1, 2], [3, 4, 5]])
    }

    @Test("A request alone is laid out the same, with FP32 counts")
    func alone() throws {
        let (batches, outcomes) = try run(Self.configuration(.fp32), [Self.request([1, 2])])
        let batch = try #require(batches.first)
        #expect(batch["IN"]?.shape == [2])
        #expect(try batch["BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO"]?.elements(as: Float.self) == [0, 2])
        #expect(try outcomes[0].get().output("OUT").shape == [1, 2])
    }

    @Test("An output with too few elements fails the batch with a sentence that names it")
    func mismatch() throws {
        let fixture = try ExecutorFixture(Self.configuration()) { _, _ in
            [try Tensor(name: "OUT", shape: [1], [1] as [Float])]
        }
        defer { fixture.stop() }
        let outcomes = Collected<Outcome>()
        fixture.executor.submit(try Self.request([1, 2]), from: .nonBlocking) { outcomes.add($0) }
        guard case .failure(let error) = outcomes.wait(for: 1)[0] else {
            Issue.record("the request did not fail")
            return
        }
        #expect(error.code == .internal)
        #expect(error.message.contains("output 'OUT' of shape [1] does not have as many elements"))
    }
}
