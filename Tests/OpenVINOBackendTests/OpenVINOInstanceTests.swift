import Foundation
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct OpenVINOInstanceTests {
    private func row(_ values: [Float]) throws -> Tensor { try Tensor(name: "x", shape: [1, values.count], values) }

    @Test(arguments: [[-1, 2], [1, 2]])
    func `An output is not written again while it is referred to`(dimensions: [Int]) throws {
        let instance = try Engine.instance(TestModels.doubling(dimensions))
        var held: [Tensor] = []
        for index in 0..<10 {
            held.append(try #require(try instance.run([row([Float(index), 100])])["doubled"]))
        }
        #expect(Set(held.map { UInt(bitPattern: $0.data.baseAddress) }).count == 10)
        for (index, output) in held.enumerated() {
            #expect(try output.elements(as: Float.self) == [Float(index) * 2, 200])
        }
    }

    @Test func `Memory of an output that nobody refers to is used again`() throws {
        let instance = try Engine.instance(TestModels.doubling([-1, 2]))
        var addresses: Set<UInt> = []
        for _ in 0..<10 {
            let output = try #require(try instance.run([row([1, 2])])["doubled"])
            addresses.insert(UInt(bitPattern: output.data.baseAddress))
        }
        // The engine may alternate between two blocks of a request.
        #expect(addresses.count <= 2)
    }

    @Test func `An output outlives its instance and its model`() throws {
        let output = try #require(
            try Engine.instance(TestModels.doubling([-1, 2])).run([row([3, 4])])["doubled"])
        #expect(try output.elements(as: Float.self) == [6, 8])
    }

    @Test(arguments: [[-1, 2], [1, 2]])
    func `An output that is the input itself has memory of its own`(dimensions: [Int]) throws {
        let instance = try Engine.instance(TestModels.identity(dimensions))
        let input = try row([3, 4])
        let output = try #require(try instance.run([input])["x"])
        #expect(output.data.baseAddress != input.data.baseAddress)
        input.data.baseAddress.storeBytes(of: 7, as: Float.self)
        #expect(try output.elements(as: Float.self) == [3, 4])
    }

    @Test func `Two outputs of one execution are two tensors`() throws {
        let instance = try Engine.instance(TestModels.twoOutputs())
        let outputs = try instance.run([row([1, 10])])
        #expect(try outputs["doubled"]?.elements(as: Float.self) == [2, 20])
        #expect(try outputs["tripled"]?.elements(as: Float.self) == [3, 30])
    }

    @Test func `Only the outputs that were asked for are returned`() throws {
        let instance = try Engine.instance(TestModels.twoOutputs())
        #expect(try instance.run([row([1, 10])], wanting: ["tripled"]).keys.sorted() == ["tripled"])
        #expect(try instance.run([row([1, 10])], wanting: []).isEmpty)
    }

    @Test func `Open dimensions change from execution to execution`() throws {
        let instance = try Engine.instance(TestModels.doubling([-1, -1]))
        for shape in [[1, 1], [3, 5], [2, 7], [3, 5]] as [TensorShape] {
            let count = try shape.elementCount()
            let input = try Tensor(name: "x", shape: shape, (0..<count).map { Float($0) })
            let output = try #require(try instance.run([input])["doubled"])
            #expect(output.shape == shape)
            #expect(try output.elements(as: Float.self) == (0..<count).map { Float($0) * 2 })
        }
    }

    @Test func `An output's size may depend on the data, and be nothing`() throws {
        let instance = try Engine.instance(TestModels.nonZero())
        for (values, positions) in [
            ([0, 1, 0, 2], [1, 3]), ([0, 0], []), ([5], [0]), ([0, 0, 9], [2]),
        ] as [([Float], [Int64])] {
            let output = try #require(
                try instance.run([Tensor(name: "x", shape: [values.count], values)])["positions"])
            #expect(output.shape == [1, positions.count])
            #expect(try output.elements(as: Int64.self) == positions)
        }
    }

    @Test func `A tensor without elements passes through`() throws {
        let instance = try Engine.instance(TestModels.doubling([-1, 2]))
        let output = try #require(try instance.run([Tensor(name: "x", shape: [0, 2], [Float]())])["doubled"])
        #expect(output.shape == [0, 2])
        #expect(output.data.byteCount == 0)
        #expect(try instance.run([row([1, 2])])["doubled"]?.elements(as: Float.self) == [2, 4])
    }

    @Test func `A scalar is a tensor of one element`() throws {
        let instance = try Engine.instance(TestModels.doubling([]))
        let output = try #require(try instance.run([Tensor(name: "x", shape: [], [Float(21)])])["doubled"])
        #expect(output.shape == [])
        #expect(try output.elements(as: Float.self) == [42])
    }

    @Test func `Bytes that begin at an odd address are read right`() throws {
        let instance = try Engine.instance(TestModels.doubling([-1, 2]))
        let values: [Float] = [1.5, -2]
        let bytes = [0] + values.withUnsafeBytes { Array($0) }
        let slice = try TensorBuffer(copying: bytes).slice(offset: 1, byteCount: 8)
        let input = try Tensor(name: "x", elementType: .fp32, shape: [1, 2], data: slice)
        #expect(try instance.run([input])["doubled"]?.elements(as: Float.self) == [3, -4])
    }

    @Test func `A wrong input is an error, and the instance works on`() throws {
        let instance = try Engine.instance(TestModels.doubling([-1, 2]))
        let shape = error { try instance.run([row([1, 2, 3])]) }
        #expect(shape?.code == .invalidArgument)
        #expect(shape?.message.hasPrefix("model 'model': OpenVINO does not take input 'x' of shape [1,3]") == true)
        #expect(
            error { try instance.run([Tensor(name: "x", shape: [1, 2], [Int32(1), 2])]) }?.message
                == "model 'model': input 'x' must be FP32, but is INT32")
        #expect(error { try instance.run([Tensor(name: "y", shape: [1, 2], [Float(1), 2])]) }?.code == .internal)
        var lying = try row([1, 2])
        lying.shape = [1000, 2]
        #expect(error { try instance.run([lying]) }?.code == .invalidArgument)
        #expect(try instance.run([row([1, 2])])["doubled"]?.elements(as: Float.self) == [2, 4])
    }

    @Test func `The batch hears when the inference begins and ends`() throws {
        let instance = try Engine.instance(TestModels.doubling([-1, 2]))
        var batch = ExecutionBatch(
            inputs: [try row([1, 2])], batchSize: 1, requestedOutputs: nil, clock: CountingClock())
        _ = try instance.execute(&batch)
        #expect(batch.inferenceStart == 1)
        #expect(batch.inferenceEnd == 2)
    }

    @Test(arguments: [1, 2])
    func `Instances run side by side, and each gives its own answer`(streams: Int) async throws {
        let instances = 4
        let model = try Engine.load(
            TestModels.doubling([-1, 2]), plan: CPUPlan(instances: instances, streams: streams, threads: 2))
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<instances {
                let instance = SendableInstance(instance: try model.instance(index))
                group.addTask {
                    var wrong = 0
                    for round in 0..<200 {
                        let value = Float(index * 1000 + round)
                        let input = try Tensor(name: "x", shape: [1, 2], [value, value + 0.5])
                        let output = try instance.instance.run([input])["doubled"]
                        if try output?.elements(as: Float.self) != [value * 2, value * 2 + 1] { wrong += 1 }
                    }
                    return wrong
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}

/// An instance on its way to the one task that uses it.
private struct SendableInstance: @unchecked Sendable {
    let instance: any ModelInstance
}
