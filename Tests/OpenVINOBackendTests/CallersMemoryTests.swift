import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

/// Outputs that the engine writes where the caller wants them.
@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct CallersMemoryTests {
    private func rows(_ values: [Float]) throws -> Tensor {
        try Tensor(name: "x", shape: [values.count / 2, 2], values)
    }

    @Test func `Outputs of certain shapes are written into the caller's memory`() throws {
        let instance = try Engine.instance(TestModels.twoOutputs(rows: 1))
        let memory = CallersMemory()
        // What an execution gives shows that the model keeps what it promises.
        let first = try instance.run([rows([1, 10])], memory: memory)
        #expect(memory.asked.isEmpty && memory.starts == 0)
        #expect(try first["tripled"]?.elements(as: Float.self) == [3, 30])
        for count in 1...3 {
            let values = [Float(count), 7]
            let outputs = try instance.run([rows(values)], memory: memory)
            #expect(memory.asked.suffix(2).sorted() == ["doubled", "tripled"] && memory.starts == count)
            for (name, factor) in [("doubled", Float(2)), ("tripled", 3)] {
                let output = try #require(outputs[name])
                #expect(memory.gave(output.data) && output.shape == [1, 2])
                #expect(try output.elements(as: Float.self) == values.map { factor * $0 })
            }
        }
        #expect(memory.inUse == 0)
    }

    @Test func `Only outputs that are asked for take memory`() throws {
        let instance = try Engine.instance(TestModels.twoOutputs(rows: 1))
        let memory = CallersMemory()
        _ = try instance.run([rows([1, 10])])
        let outputs = try instance.run([rows([1, 10])], wanting: ["tripled"], memory: memory)
        #expect(memory.asked == ["tripled"] && outputs.keys.sorted() == ["tripled"])
    }

    @Test func `The next execution writes elsewhere`() throws {
        let instance = try Engine.instance(TestModels.twoOutputs(rows: 1))
        let memory = CallersMemory()
        _ = try instance.run([rows([1, 10])])
        let kept = try #require(try instance.run([rows([1, 10])], memory: memory)["doubled"])
        let other = try #require(try instance.run([rows([2, 20])])["doubled"])
        #expect(!memory.gave(other.data))
        #expect(try kept.elements(as: Float.self) == [2, 20])
        #expect(try other.elements(as: Float.self) == [4, 40])
    }

    @Test func `An output that is the input itself stays a copy of its own`() throws {
        let instance = try Engine.instance(TestModels.identity([1, 2]))
        let memory = CallersMemory()
        _ = try instance.run([rows([1, 2])])
        let output = try #require(try instance.run([rows([3, 4])], memory: memory)["x"])
        #expect(memory.asked.isEmpty)
        #expect(try output.elements(as: Float.self) == [3, 4])
    }

    @Test func `Open shapes are written where the engine likes`() throws {
        let instance = try Engine.instance(TestModels.twoOutputs(), configure: { $0.maxBatchSize = 8 })
        let memory = CallersMemory()
        for values in [[1, 2], [3, 4]] as [[Float]] {
            let output = try #require(try instance.run([rows(values)], memory: memory)["doubled"])
            #expect(try output.elements(as: Float.self) == values.map { 2 * $0 })
        }
        #expect(memory.asked.isEmpty)
    }

    @Test func `Memory that an input lies in is left alone`() throws {
        let instance = try Engine.instance(TestModels.twoOutputs(rows: 1))
        _ = try instance.run([rows([1, 10])])
        let whole = TensorStorage.allocate(byteCount: 8)
        let memory = CallersMemory(over: whole)
        [Float(1), 10].withUnsafeBytes { whole.baseAddress.copyMemory(from: $0.baseAddress!, byteCount: 8) }
        let input = try Tensor(name: "x", elementType: .fp32, shape: [1, 2], data: TensorBuffer(whole))
        let outputs = try instance.run([input], wanting: ["tripled"], memory: memory)
        #expect(memory.asked == ["tripled"])
        #expect(try outputs["tripled"]?.elements(as: Float.self) == [3, 30])
        #expect(try input.elements(as: Float.self) == [1, 10])
    }

    @Test func `Memory at an address that does not suit the elements is not written to`() throws {
        let instance = try Engine.instance(TestModels.twoOutputs(rows: 1))
        let memory = CallersMemory(offset: 1)
        _ = try instance.run([rows([1, 10])])
        let output = try #require(try instance.run([rows([1, 10])], memory: memory)["doubled"])
        #expect(!memory.gave(output.data) && memory.inUse == 0)
        #expect(try output.elements(as: Float.self) == [2, 20])
        // It is not asked for again and again.
        let asked = memory.asked.count
        _ = try instance.run([rows([1, 10])], memory: memory)
        #expect(memory.asked.count == asked)
    }
}
