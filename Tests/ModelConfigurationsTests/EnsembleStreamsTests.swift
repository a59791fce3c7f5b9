import ModelConfigurations
import Tensors
import Testing

@Suite("Streams of ensembles")
struct EnsembleStreamsTests {
    private typealias Step = EnsembleScheduling.Step

    private static func streams(
        _ steps: [Step], decoupled: [Bool], inputs: [String] = ["IN"], outputs: [String] = ["OUT"]
    ) throws -> EnsembleStreams {
        var configuration = ModelConfiguration(name: "whole")
        configuration.inputs = inputs.map { TensorConfiguration(name: $0, elementType: .fp32, dimensions: [4]) }
        configuration.outputs = outputs.map { TensorConfiguration(name: $0, elementType: .fp32, dimensions: [4]) }
        let ensemble = EnsembleScheduling(steps: steps)
        return try EnsembleStreams(
            configuration, ensemble, try EnsembleGraph(configuration, ensemble), decoupled: decoupled)
    }

    private static func step(_ model: String, _ from: [String], _ to: [String]) -> Step {
        Step(
            modelName: model, inputMap: Dictionary(uniqueKeysWithValues: from.map { ($0, $0) }),
            outputMap: Dictionary(uniqueKeysWithValues: to.map { ($0, $0) }))
    }

    @Test("A decoupled step begins a stream, in which what reads it runs, whatever the order of the steps")
    func chain() throws {
        let steps = [
            Self.step("last", ["B"], ["OUT"]), Self.step("first", ["IN"], ["A"]), Self.step("many", ["A"], ["B"]),
        ]
        let streams = try Self.streams(steps, decoupled: [false, false, true])
        #expect(streams.ofStep == [1, 0, 0] && streams.ofOutputs == [1, 0, 1] && streams.output == 1)
        #expect(streams.isDecoupled)
        #expect(try !Self.streams(steps, decoupled: [false, false, false]).isDecoupled)
    }

    @Test("What comes once for each response of different models can't be put together")
    func mixed() {
        let error = #expect(throws: HalcyonError.self) {
            try Self.streams(
                [Self.step("many", ["IN"], ["A"]), Self.step("join", ["A", "IN"], ["OUT"])], decoupled: [true, false])
        }
        #expect(
            error?.message
                == "in ensemble whole, step of model 'join' receives inputs originated from different decoupled "
                + "models: 'A' and 'IN' come once for each response of different models, and can't be put together")
        let outputs = #expect(throws: HalcyonError.self) {
            try Self.streams(
                [Self.step("many", ["IN"], ["A"]), Self.step("one", ["IN"], ["B"])], decoupled: [true, false],
                outputs: ["A", "B"])
        }
        #expect(outputs?.message.contains("step of model 'whole' receives inputs originated from different") == true)
    }
}
