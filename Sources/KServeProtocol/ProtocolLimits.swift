package import JSONText
internal import Tensors

/// How much one request may ask for. Each is checked before anything is made of what came.
package struct ProtocolLimits: Hashable, Sendable {
    /// How deep arrays and objects of a JSON text may be nested.
    package var jsonDepth = 64
    /// How many inputs a request may bring.
    package var inputs = 1024
    /// How many outputs a request may name.
    package var outputs = 1024
    /// How many classes an output may be given as, for all of its items together.
    package var classes = 1_000_000

    /// How many dimensions a tensor may have.
    package static let rank = 64
    /// How many parameters a request, an input or an output may have.
    package static let parameters = 1024
    /// Bytes of a name, an id, an element type, or a key: of every text that is no value of a tensor and no
    /// parameter's.
    package static let textLength = 4096
    /// Bytes of a parameter's text. Sequences' ids are names, and shorter.
    package static let parameterLength = 64 << 10
    /// Digits, signs and points that a number of a JSON text may have.
    package static let numberLength = 1024
    /// How many values a JSON text may have that is no inference request: settings, for instance.
    package static let values = 100_000

    package init() {}

    /// For the JSON of an inference request.
    package var inferenceText: JSONLimits {
        var limits = JSONLimits(depth: jsonDepth)
        limits.nameLength = Self.textLength
        limits.numberLength = Self.numberLength
        return limits
    }

    /// For any other JSON of a client's.
    package var documentText: JSONLimits {
        var limits = inferenceText
        limits.values = Self.values
        return limits
    }

    static func checkRank(_ rank: Int, of name: String?) throws(HalcyonError) {
        guard rank <= Self.rank else {
            let tensor = name.map { " of '\($0.shortened())'" } ?? ""
            throw HalcyonError(.invalidArgument, "a shape\(tensor) may have at most \(Self.rank) dimensions")
        }
    }

    static func checkLength(_ count: Int, _ field: String, limit: Int = textLength) throws(HalcyonError) {
        guard count <= limit else {
            throw HalcyonError(
                .invalidArgument, "'\(field.shortened())' may have at most \(limit) bytes, got \(count)")
        }
    }

    static func checkParameters(_ count: Int) throws(HalcyonError) {
        guard count < Self.parameters else {
            throw HalcyonError(.invalidArgument, "there may be at most \(Self.parameters) parameters in one place")
        }
    }
}
