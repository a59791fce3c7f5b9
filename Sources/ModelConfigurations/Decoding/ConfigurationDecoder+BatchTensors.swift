internal import Tensors

extension ConfigurationDecoder {
    mutating func batchInputs(_ message: ConfigurationMessage) -> [BatchInput] {
        var inputs: [BatchInput] = []
        for (index, node) in message.nodes("batch_input").enumerated() {
            guard case .message(let input) = node.value else { continue }
            let path = "batch_input[\(index)]"
            let kind = BatchInput.Kind(rawValue: input.string("kind")) ?? .elementCount
            guard let ends = ends(input, "batch input", kind: kind.rawValue, path) else { continue }
            let written = input.string("data_type")
            let type = ElementType(configurationName: written)
            guard let type, type == .int32 || type == .fp32 else {
                diagnostics.error(
                    "batch input data type must be TYPE_INT32 or TYPE_FP32 for \(modelName)",
                    at: input.position(of: "data_type"), "\(path).data_type",
                    hint: written.isEmpty ? "got none" : "got \(written)")
                continue
            }
            inputs.append(
                BatchInput(
                    kind: kind, targetNames: ends.targets,
                    elementType: type, sourceInput: ends.source))
        }
        return inputs
    }

    mutating func batchOutputs(_ message: ConfigurationMessage) -> [BatchOutput] {
        var outputs: [BatchOutput] = []
        for (index, node) in message.nodes("batch_output").enumerated() {
            guard case .message(let output) = node.value,
                let ends = ends(
                    output, "batch output", kind: "BATCH_SCATTER_WITH_INPUT_SHAPE", "batch_output[\(index)]")
            else { continue }
            outputs.append(BatchOutput(targetNames: ends.targets, sourceInput: ends.source))
        }
        return outputs
    }

    private mutating func ends(
        _ message: ConfigurationMessage, _ what: String, kind: String, _ path: String
    ) -> (targets: [String], source: String)? {
        let names = { (field: String) in
            message.nodes(field).compactMap { node -> String? in
                if case .string(let name) = node.value { name } else { nil }
            }
        }
        let targets = names("target_name")
        let sources = names("source_input")
        if targets.isEmpty {
            diagnostics.error(
                "\(what) must specify at least one 'target_name' for \(modelName)", at: message.position,
                "\(path).target_name")
        }
        if sources.count != 1 {
            diagnostics.error(
                "\(what) kind '\(kind)' expects 1 source input, got \(sources.count) for \(modelName)",
                at: message.position(of: "source_input"), "\(path).source_input")
        }
        guard !targets.isEmpty, sources.count == 1, let source = sources.first else { return nil }
        return (targets, source)
    }

    /// What can't go together with requests of different shapes in one batch.
    mutating func checkRaggedInputs(_ message: ConfigurationMessage, _ configuration: ModelConfiguration) {
        for (index, node) in message.nodes("input").enumerated() {
            guard case .message(let input) = node.value, input.bool("allow_ragged_batch") else { continue }
            let reason: String? =
                if configuration.sequenceBatching != nil {
                    "of a model with sequences"
                } else if input.bool("optional") {
                    "that is optional"
                } else if input.node("reshape") != nil {
                    "that is reshaped"
                } else if configuration.maxBatchSize == 0, message.node("max_batch_size") != nil {
                    "of a model that does not batch"
                } else {
                    nil
                }
            guard let reason else { continue }
            diagnostics.error(
                "input '\(input.string("name"))' \(reason) can't have allow_ragged_batch for \(modelName)",
                at: input.position(of: "allow_ragged_batch"), "input[\(index)].allow_ragged_batch")
        }
        let isRagged = !configuration.batchInputs.isEmpty || !configuration.batchOutputs.isEmpty
        guard isRagged, configuration.sequenceBatching != nil || configuration.ensemble != nil else { return }
        for field in ["batch_input", "batch_output"] where message.node(field) != nil {
            diagnostics.error(
                "'\(field)' is not possible for an ensemble or a model with sequences: \(modelName)",
                at: message.position(of: field), field)
        }
    }
}
