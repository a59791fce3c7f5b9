internal import ModelConfigurations
internal import Tensors

/// What a conversion came to, as a person reads it.
enum ConversionReport {
    static func lines(_ job: ConversionJob, _ result: ConversionResult) -> [String] {
        var lines = ["written: \(job.destination.path)"]
        for input in result.inputs { lines.append("  input   \(describe(input, result.maxBatch))") }
        for output in result.outputs { lines.append("  output  \(describe(output, result.maxBatch))") }
        if result.maxBatch > 0 { lines.append("  batches of up to \(result.maxBatch)") }
        if let quantisation = result.quantisation { lines += self.lines(quantisation) }
        if !result.differences.isEmpty {
            lines.append("differences to the original, largest and mean:")
            lines += result.differences.map { difference in
                let range =
                    difference.range.count == 2
                    ? "  (values of \(number(difference.range[0])) to \(number(difference.range[1])))" : ""
                return "  \(difference.output): \(number(difference.maximum)), \(number(difference.mean))\(range)"
            }
        }
        let parameters = result.engineParameters.sorted { $0.key < $1.key }
        if job.destination.form != .model, job.request.target == .openVINO, !parameters.isEmpty {
            lines.append("for this precision the model's config.pbtxt needs:")
            lines += parameters.map { name, value in
                "  parameters { key: \"\(name)\" value { string_value: \"\(value)\" } }"
            }
        }
        return lines
    }

    private static func describe(_ tensor: TensorConfiguration, _ maxBatch: Int) -> String {
        let shape = maxBatch > 0 ? tensor.dimensions.prepending(TensorShape.variable) : tensor.dimensions
        let format = tensor.format == .none ? "" : " \(tensor.format.rawValue)"
        return "\(tensor.name) \(tensor.elementType.rawValue) \(shape)\(format)"
    }

    private static func lines(_ quantisation: ConversionResult.Quantisation) -> [String] {
        let before = quantisation.millisecondsBefore
        let after = quantisation.millisecondsAfter
        let factor = after > 0 ? ", \(number(before / after)) times as fast" : ""
        var lines = [
            "quantised with \(quantisation.pictures) samples:",
            "  size     \(megabytes(quantisation.bytesBefore)) → \(megabytes(quantisation.bytesAfter))",
            "  latency  \(number(before)) ms → \(number(after)) ms\(factor)",
        ]
        if let agreement = quantisation.agreement {
            let pictures =
                quantisation.heldBack > 0 ? "\(quantisation.heldBack) pictures held back" : "the same pictures"
            lines.append("  agreement with the original on \(pictures): \(number(agreement * 100)) %")
        }
        return lines
    }

    static func megabytes(_ bytes: Int) -> String {
        bytes < 100_000 ? "\(number(Double(bytes) / 1000)) kB" : "\(number(Double(bytes) / 1_000_000)) MB"
    }

    /// Three digits that count.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "\(value)" }
        guard value != 0 else { return "0" }
        var scale = 1.0
        var digits = 0
        while value.magnitude * scale < 100, digits < 15 {
            scale *= 10
            digits += 1
        }
        let rounded = (value * scale).rounded() / scale
        guard digits > 0, rounded != rounded.rounded() else {
            return Int64(exactly: rounded.rounded()).map(String.init) ?? "\(value)"
        }
        return "\(rounded)"
    }
}
