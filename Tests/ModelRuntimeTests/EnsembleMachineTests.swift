import ModelConfigurations
import Tensors
import Testing

@testable import ModelRuntime

@Suite("Ensemble machine")
struct EnsembleMachineTests {
    private typealias Call = EnsembleMachine.Call

    /// `T0` → step 0 → `T1` → step 1 → `T2` and so on.
    private static func chain(decoupled: [Bool]) throws -> EnsembleMachine {
        var configuration = ModelConfiguration(name: "whole")
        let last = "T\(decoupled.count)"
        configuration.inputs = [TensorConfiguration(name: "T0", elementType: .fp32, dimensions: [1])]
        configuration.outputs = [TensorConfiguration(name: last, elementType: .fp32, dimensions: [1])]
        let ensemble = EnsembleScheduling(
            steps: decoupled.indices.map {
                .init(modelName: "m\($0)", inputMap: ["IN": "T\($0)"], outputMap: ["OUT": "T\($0 + 1)"])
            })
        let graph = try EnsembleGraph(configuration, ensemble)
        let streams = try EnsembleStreams(configuration, ensemble, graph, decoupled: decoupled)
        return EnsembleMachine(ensemble, graph, streams, steps: graph.steps(for: []), outputs: [last])
    }

    private static func tensors(_ name: String, _ value: Float) throws -> [String: EnsembleTensor] {
        [name: EnsembleTensor(tensor: try Tensor(name: name, shape: [1], [value]), isBatched: false)]
    }

    private static func values(_ actions: EnsembleMachine.Actions) throws -> [Float] {
        try actions.responses.map { try #require($0.values.first).tensor.elements(as: Float.self)[0] }
    }

    @Test("Responses of a decoupled step flow on at once, and go out in their order whoever is done first")
    func order() throws {
        var machine = try Self.chain(decoupled: [true, false])
        let started = machine.start(try Self.tensors("T0", 0))
        let many = try #require(started.starts.first).call
        let first = machine.responded(many, try Self.tensors("T1", 1), isFinal: false)
        let second = machine.responded(many, try Self.tensors("T1", 2), isFinal: false)
        let (one, two) = (try #require(first.starts.first).call, try #require(second.starts.first).call)
        #expect(one.step == 1 && two.step == 1 && one != two)
        let early = machine.responded(two, try Self.tensors("T2", 20), isFinal: true)
        #expect(early.responses.isEmpty && early.taken.isEmpty && !early.hasEnded)
        let late = machine.responded(one, try Self.tensors("T2", 10), isFinal: true)
        #expect(try Self.values(late) == [10, 20])
        #expect(late.taken == [many, many] && !late.hasEnded)
        let end = machine.responded(many, nil, isFinal: true)
        let again = machine.responded(many, nil, isFinal: true)
        #expect(end.hasEnded && !again.hasEnded)
    }

    @Test("It ends with the last item, not with the decoupled step; also where there were none")
    func end() throws {
        var machine = try Self.chain(decoupled: [true, false])
        let started = machine.start(try Self.tensors("T0", 0))
        let many = try #require(started.starts.first).call
        let only = machine.responded(many, try Self.tensors("T1", 1), isFinal: true)
        let item = try #require(only.starts.first).call
        #expect(machine.isUnderWay(item) && !machine.isUnderWay(many))
        let last = machine.responded(item, try Self.tensors("T2", 1), isFinal: true)
        #expect(last.responses.count == 1 && last.hasEnded)
        var empty = try Self.chain(decoupled: [true, false])
        let begun = empty.start(try Self.tensors("T0", 0))
        let none = try #require(begun.starts.first).call
        let end = empty.responded(none, nil, isFinal: true)
        #expect(end.hasEnded)
    }

    @Test("A decoupled step that reads a stream takes one item after the other")
    func nested() throws {
        var machine = try Self.chain(decoupled: [true, true])
        let started = machine.start(try Self.tensors("T0", 0))
        let outer = try #require(started.starts.first).call
        let one = machine.responded(outer, try Self.tensors("T1", 1), isFinal: false)
        let first = try #require(one.starts.first).call
        let waiting = machine.responded(outer, try Self.tensors("T1", 2), isFinal: true)
        let early = machine.responded(first, try Self.tensors("T2", 11), isFinal: false)
        #expect(try waiting.starts.isEmpty && Self.values(early) == [11])
        let next = machine.responded(first, nil, isFinal: true)
        #expect(next.taken == [outer])
        let second = try #require(next.starts.first).call
        let late = machine.responded(second, try Self.tensors("T2", 21), isFinal: false)
        let end = machine.responded(second, nil, isFinal: true)
        #expect(try Self.values(late) == [21] && end.hasEnded)
    }

    @Test("After it was stopped nothing is to be done")
    func stop() throws {
        var machine = try Self.chain(decoupled: [true, false])
        let started = machine.start(try Self.tensors("T0", 0))
        let many = try #require(started.starts.first).call
        let (first, second) = (machine.stop(), machine.stop())
        #expect(first && !second && machine.hasEnded)
        let late = machine.responded(many, try Self.tensors("T1", 1), isFinal: true)
        #expect(late.starts.isEmpty && late.responses.isEmpty && !late.hasEnded)
    }

    @Test(
        "A batch of one comes and goes where only one side batches, and the shapes agree that way",
        arguments: [
            (shape: [16], isBatched: false, to: [-1], batches: true, expected: [1, 16]),
            ([1, 16], true, [16], false, [16]), ([1, 16], true, [-1, 16], false, [1, 16]),
            ([3, 16], true, [16], false, [3, 16]), ([2, 16], false, [16], true, [2, 16]),
            ([4, 16], true, [16], true, [4, 16]),
        ] as [([Int], Bool, [Int], Bool, [Int])])
    func batches(shape: [Int], isBatched: Bool, to: [Int], batches: Bool, expected: [Int]) throws {
        let count = shape.reduce(1, *)
        let tensor = try Tensor(name: "T", shape: TensorShape(shape), [Float](repeating: 0, count: count))
        let adapted = EnsembleTensor(tensor: tensor, isBatched: isBatched).adapted(
            to: TensorShape(to), batches: batches)
        #expect(adapted.shape == TensorShape(expected))
    }
}
