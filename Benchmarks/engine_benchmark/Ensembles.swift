internal import ArgumentParser
internal import Foundation
internal import Halcyon
internal import JSONText

/// What an ensemble costs against its steps called by hand: the given model between two models that do nothing.
struct Ensembles: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ensemble", abstract: "Measures an ensemble against the same steps called one by one.")

    @OptionGroup var model: ModelOptions

    @Option(help: "How many pairs of an ensemble's request and the same by hand.")
    var rounds = 200

    func run() async throws {
        let server = try model.server()
        try await server.loadModel(model.model)
        let request = try model.request(server)
        let configuration = try server.modelConfiguration(model.model)
        guard let input = request.inputs.first, let output = configuration.outputs.first, request.inputs.count == 1
        else {
            throw ValidationError("the model has to have one input")
        }
        let batch = max(1, configuration.maxBatchSize)
        let folder = "\(model.repository)"
        func identity(_ name: String, _ type: String, _ dimensions: TensorShape) throws {
            try write(
                folder, name,
                """
                backend: "identity"
                max_batch_size: \(batch)
                input { name: "IN" data_type: \(type) dims: [ \(list(dimensions)) ] }
                output { name: "OUT" data_type: \(type) dims: [ \(list(dimensions)) ] }
                """)
        }
        try identity("before", input.elementType.configurationName, configuration.inputs[0].dimensions)
        try identity("after", output.elementType.configurationName, output.dimensions)
        try write(
            folder, "chain",
            """
            platform: "ensemble"
            max_batch_size: \(batch)
            input {
              name: "IN" data_type: \(input.elementType.configurationName)
              dims: [ \(list(configuration.inputs[0].dimensions)) ]
            }
            output {
              name: "OUT" data_type: \(output.elementType.configurationName) dims: [ \(list(output.dimensions)) ]
            }
            ensemble_scheduling {
              step {
                model_name: "before" input_map { key: "IN" value: "IN" } output_map { key: "OUT" value: "between" }
              }
              step {
                model_name: "\(model.model)" input_map { key: "\(input.name)" value: "between" }
                output_map { key: "\(output.name)" value: "result" }
              }
              step {
                model_name: "after" input_map { key: "IN" value: "result" } output_map { key: "OUT" value: "OUT" }
              }
            }
            """)
        try await server.loadModel("chain")
        var first = input
        first.name = "IN"
        let whole = InferenceRequest(modelName: "chain", inputs: [first])
        var ratios: [Double] = []
        var times: (ensemble: [Double], hand: [Double]) = ([], [])
        for round in 0..<rounds {
            // They take turns, and the order changes.
            var ensemble = 0.0
            var hand = 0.0
            for turn in 0..<2 {
                let start = ContinuousClock.now
                if (turn + round).isMultiple(of: 2) {
                    _ = try server.inferBlocking(whole)
                    ensemble = (ContinuousClock.now - start) / .microseconds(1)
                } else {
                    try byHand(server, first, between: input.name, result: output.name)
                    hand = (ContinuousClock.now - start) / .microseconds(1)
                }
            }
            times.ensemble.append(ensemble)
            times.hand.append(hand)
            ratios.append(ensemble / hand)
        }
        let result: JSONValue = [
            "ensemble_us": .number(median(times.ensemble)), "by_hand_us": .number(median(times.hand)),
            "ratio": .number(median(ratios)), "rounds": .integer(Int64(rounds)),
        ]
        print(result.compact)
        await server.shutdown()
    }

    private func byHand(
        _ server: InferenceServer, _ input: Tensor, between: String, result: String
    ) throws {
        var tensor = try server.inferBlocking(InferenceRequest(modelName: "before", inputs: [input])).outputs[0]
        tensor.name = between
        tensor = try server.inferBlocking(
            InferenceRequest(modelName: model.model, inputs: [tensor], requestedOutputs: [result])
        ).outputs[0]
        tensor.name = "IN"
        _ = try server.inferBlocking(InferenceRequest(modelName: "after", inputs: [tensor]))
    }

    private func write(_ folder: String, _ name: String, _ text: String) throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)/1", withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)/config.pbtxt"))
    }

    private func list(_ shape: TensorShape) -> String { shape.dimensions.map(String.init).joined(separator: ", ") }

    private func median(_ values: [Double]) -> Double {
        values.sorted()[values.count / 2]
    }
}
