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
        let instance = try Engine.instance(.twoOutputs, configure: { $0.maxBatchSize = 8 })
        let memory = CallersMemory()
        // What an execution gives shows that the model keeps what it promises.
        let first = try instance.run([rows([1, 10])], memory: memory)
        #expect(memory.asked.isEmpty && memory.starts == 0)
        #expect(try first["tripled"]?.elements(as: Float.self) == [3, 30])
        for count in 1...3 {
            let values = (0..<2 * count).map(Float.init)
            let outputs = try instance.run([rows(values)], memory: memory)
            #expect(memory.asked.suffix(2).sorted() == ["doubled", "tripled"] && memory.starts == count)
            for (name, factor) in [("doubled", Float(2)), ("tripled", 3)] {
                let output = try #require(outputs[name])
                #expect(memory.gave(output.data) && output.shape == [count, 2])
                #expect(try output.elements(as: Float.self) == values.map { factor * $0 })
            }
        }
        #expect(memory.inUse == 0)
    }

    @Test func `Only outputs that are asked for take memory`() throws {
        let instance = try Engine.instance(.twoOutputs, configure: { $0.maxBatchSize = 8 })
        let memory = CallersMemory()
        _ = try instance.run([rows([1, 10])])
        let outputs = try instance.run([rows([1, 10])], wanting: ["tripled"], memory: memory)
        #expect(memory.asked == ["tripled"] && outputs.keys.sorted() == ["tripled"])
    }

    @Test func `The next execution writes elsewhere`() throws {
        let instance = try Engine.instance(.twoOutputs, configure: { $0.maxBatchSize = 8 })
        let memory = CallersMemory()
        _ = try instance.run([rows([1, 10])])
        let kept = try #require(try instance.run([rows([1, 10])], memory: memory)["doubled"])
        let other = try #require(try instance.run([rows([2, 20])])["doubled"])
        #expect(!memory.gave(other.data))
        #expect(try kept.elements(as: Float.self) == [2, 20])
        #expect(try other.elements(as: Float.self) == [4, 40])
    }

    @Test func `An output that is the input itself is copied there`() throws {
        let instance = try Engine.instance(.identity(.fp32, [-1, 2]), configure: { $0.maxBatchSize = 8 })
        let memory = CallersMemory()
        _ = try instance.run([rows([1, 2])])
        let output = try #require(try instance.run([rows([3, 4, 5, 6])], memory: memory)["y"])
        #expect(memory.gave(output.data))
        #expect(try output.elements(as: Float.self) == [3, 4, 5, 6])
    }

    @Test func `An output that no node computes stays a copy of its own`() throws {
        let instance = try Engine.instance(.passing, configure: { $0.maxBatchSize = 8 })
        let memory = CallersMemory()
        for values in [[1, 2], [3, 4], [5, 6]] as [[Float]] {
            let outputs = try instance.run([rows(values)], memory: memory)
            #expect(try outputs["x"]?.elements(as: Float.self) == values)
            #expect(try outputs["doubled"]?.elements(as: Float.self) == values.map { 2 * $0 })
        }
        #expect(Set(memory.asked) == ["doubled"])
    }

    @Test func `A shape that turns out another way costs the caller nothing`() throws {
        let instance = try Engine.instance(.nonZeroRows, configure: { $0.maxBatchSize = 8 })
        let memory = CallersMemory()
        func positions(_ values: [Float]) throws -> [Int64] {
            let input = try Tensor(name: "x", shape: [values.count], values)
            let output = try #require(try instance.run([input], memory: memory)["positions"])
            return try output.elements(as: Int64.self)
        }
        // As many as the batch has rows, by chance.
        #expect(try positions([1, 2, 3]) == [0, 1, 2])
        #expect(memory.asked.isEmpty)
        #expect(try positions([1, 0, 3]) == [0, 2])
        #expect(memory.asked == ["positions"] && memory.starts == 1 && memory.inUse == 0)
        // From then on nobody counts on it.
        #expect(try positions([1, 2, 3]) == [0, 1, 2])
        #expect(memory.asked == ["positions"])
    }

    @Test func `Memory at an address that does not suit the elements is not written to`() throws {
        let instance = try Engine.instance(.twoOutputs, configure: { $0.maxBatchSize = 8 })
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
