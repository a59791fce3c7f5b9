import Foundation
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct InferenceTests {
    private func texts(_ texts: [String], shape: TensorShape? = nil) throws -> Tensor {
        var bytes: [UInt8] = []
        for text in texts {
            withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { bytes += $0 }
            bytes += text.utf8
        }
        return try Tensor(
            name: "x", elementType: .bytes, shape: shape ?? [texts.count],
            data: bytes.withUnsafeBytes { TensorBuffer(copying: $0) })
    }

    @Test func `Batches of any size run as they come`() throws {
        let instance = try Engine.instance(.doubling([-1, 2])) { $0.maxBatchSize = 8 }
        for rows in [1, 3, 8] {
            let values = (0..<rows * 2).map(Float.init)
            let output = try #require(try instance.run([Tensor(name: "x", shape: [rows, 2], values)])["doubled"])
            #expect(output.shape == [rows, 2])
            #expect(try output.elements(as: Float.self) == values.map { 2 * $0 })
        }
    }

    @Test func `An output outlives its instance, its model, and later runs`() throws {
        var held: [Tensor] = []
        do {
            let instance = try Engine.instance(.doubling([-1, 2]))
            for index in 0..<10 {
                held.append(
                    try #require(
                        try instance.run([Tensor(name: "x", shape: [1, 2], [Float(index), 1])])["doubled"]))
            }
        }
        for (index, output) in held.enumerated() {
            #expect(try output.elements(as: Float.self) == [Float(index) * 2, 2])
        }
    }

    @Test(arguments: ElementType.allCases.filter { $0 != .bytes })
    func `Every element type goes in and comes out bit by bit`(type: ElementType) throws {
        let instance = try Engine.instance(.identity(type, [-1, 3]))
        let size = try #require(type.byteSize)
        // A truth value is 0 or 1; of the other types all bits count.
        let bytes = (0..<6 * size).map { UInt8(type == .bool ? $0 % 2 : 16 + $0) }
        let input = try Tensor(
            name: "x", elementType: type, shape: [2, 3], data: bytes.withUnsafeBytes { TensorBuffer(copying: $0) })
        let output = try #require(try instance.run([input])["y"])
        #expect(output.elementType == type && output.shape == [2, 3])
        #expect(output.data.withUnsafeBytes { Array($0) } == bytes)
        #expect(output.data.baseAddress != input.data.baseAddress)
    }

    @Test func `An input at an odd address is read all the same`() throws {
        let instance = try Engine.instance(.doubling([-1, 2]))
        let bytes = [UInt8(0)] + [Float(1.5), Float(-4)].withUnsafeBytes { Array($0) }
        let data = try bytes.withUnsafeBytes { TensorBuffer(copying: $0) }.slice(offset: 1, byteCount: 8)
        let input = try Tensor(name: "x", elementType: .fp32, shape: [1, 2], data: data)
        #expect(try instance.run([input])["doubled"]?.elements(as: Float.self) == [3, -8])
    }

    @Test(arguments: [[], [""], ["one", "", "三 and more", "x"]])
    func `Texts go in and come out as they are`(values: [String]) throws {
        let instance = try Engine.instance(.identity(.bytes, [-1]))
        let input = try texts(values)
        let output = try #require(try instance.run([input])["y"])
        #expect(output.shape == [values.count])
        #expect(output.data.withUnsafeBytes { Array($0) } == input.data.withUnsafeBytes { Array($0) })
    }

    @Test func `A text with a zero byte, and one too few, are refused by name`() throws {
        let instance = try Engine.instance(.identity(.bytes, [-1]))
        let zero = try #require(error { try instance.run([texts(["a", "b\0c"])]) })
        #expect(zero.code == .invalidArgument)
        #expect(
            zero.message
                == "model 'model': input 'x': element 1 holds a zero byte, which texts of ONNX Runtime can't")
        let few = try #require(error { try instance.run([texts(["a"], shape: [2])]) })
        #expect(few.message == "model 'model': input 'x' of shape [2] takes 2 elements, but has 1")
    }

    @Test func `The shape of an output may depend on the values`() throws {
        let instance = try Engine.instance(.nonZero)
        for values in [[0, 5, 0, 7], [0, 0], []] as [[Float]] {
            let output = try #require(try instance.run([Tensor(name: "x", shape: [values.count], values)])["positions"])
            let expected = values.indices.filter { values[$0] != 0 }.map(Int64.init)
            #expect(output.shape == [1, expected.count])
            #expect(try output.elements(as: Int64.self) == expected)
        }
    }

    @Test func `Only the outputs that were asked for are computed`() throws {
        let instance = try Engine.instance(.twoOutputs)
        let input = try Tensor(name: "x", shape: [1, 2], [Float(1), 10])
        #expect(try instance.run([input]).keys.sorted() == ["doubled", "tripled"])
        let outputs = try instance.run([input], wanting: ["tripled"])
        #expect(outputs.keys.sorted() == ["tripled"])
        #expect(try outputs["tripled"]?.elements(as: Float.self) == [3, 30])
    }

    @Test func `The wrong type and the wrong shape are refused, and the next request is served`() throws {
        let instance = try Engine.instance(.doubling([-1, 2]))
        let type = try #require(error { try instance.run([Tensor(name: "x", shape: [1, 2], [Int32(1), 2])]) })
        #expect(type.message == "model 'model': input 'x' must be FP32, but is INT32")
        let shape = try #require(error { try instance.run([Tensor(name: "x", shape: [1, 3], [Float(1), 2, 3])]) })
        #expect(shape.message.hasPrefix("model 'model': the inference failed: "))
        #expect(shape.message.contains("Got: 3 Expected: 2"))
        #expect(try instance.run([Tensor(name: "x", shape: [1, 2], [Float(1), 2])]).count == 1)
    }

    @Test func `Parameters of Triton are taken by the engine`() throws {
        let instance = try Engine.instance(.twoOutputs) {
            $0.parameters = [
                "intra_op_thread_count": "2", "inter_op_thread_count": "2", "execution_mode": "1",
                "enable_mem_arena": "0", "enable_mem_pattern": "0",
                "session.use_device_allocator_for_initializers": "1",
            ]
            $0.optimization.graphLevel = 1
        }
        #expect(try instance.run([Tensor(name: "x", shape: [1, 2], [Float(1), 10])]).count == 2)
        let shrinking = try Engine.instance(.doubling([-1])) {
            $0.parameters["memory.enable_memory_arena_shrinkage"] = "cpu:0"
        }
        #expect(try shrinking.run([Tensor(name: "x", shape: [1], [Float(1)])]).count == 1)
    }

    @Test(.enabled(if: Engine.hasSharedModels, Comment(rawValue: Engine.sharedAbsent)))
    func `Triton's model of texts adds and subtracts`() throws {
        let model = try Engine.load(Engine.sharedModels + "/qa/simple_string.onnx") { $0.maxBatchSize = 8 }
        let instance = try model.makeInstance(InstanceIdentity(name: "model_0", kind: .cpu, index: 0))
        var left = try texts((0..<16).map(String.init), shape: [1, 16])
        left.name = "INPUT0"
        var right = try texts([String](repeating: "1", count: 16), shape: [1, 16])
        right.name = "INPUT1"
        let outputs = try instance.run([left, right])
        #expect(
            try outputs["OUTPUT0"]?.data.withUnsafeBytes { Array($0) }
                == texts((1..<17).map(String.init)).data.withUnsafeBytes { Array($0) })
        #expect(
            try outputs["OUTPUT1"]?.data.withUnsafeBytes { Array($0) }
                == texts((-1..<15).map(String.init)).data.withUnsafeBytes { Array($0) })
    }
}
