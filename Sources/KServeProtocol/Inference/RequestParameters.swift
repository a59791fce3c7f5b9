package import ModelRuntime
package import Tensors

/// A request's parameters: those that mean something to the server, checked, and those that are the model's.
package struct RequestParameters: Hashable, Sendable {
    package typealias Value = InferenceParameter.Value

    /// 0 for the model's default.
    package var priority = 0
    /// Microseconds; 0 for the model's default.
    package var timeoutMicroseconds: UInt64 = 0
    package var prefersBinaryOutputs = false
    private var sequenceID: InferenceSequence.ID?
    private var startsSequence = false
    private var endsSequence = false
    /// Whether a stream wants an empty last response that says so (`triton_enable_empty_final_response`).
    package var wantsEmptyFinalResponse = false

    /// What means nothing to the server, in the order in which it came; a name that comes again replaces its value.
    package private(set) var forModel: [InferenceParameter] = []

    /// The protocols differ in how an error names what is expected.
    package enum Wire: Sendable { case http, grpc }

    package init() {}

    /// Takes in one parameter of a request.
    ///
    /// - Throws: `invalidArgument` for a value of the wrong kind, or a reserved name.
    package mutating func set(_ name: String, _ value: Value, from wire: Wire) throws(HalcyonError) {
        switch name {
        case "priority": priority = Int(clamping: try Self.unsigned(name, value, wire))
        case "timeout": timeoutMicroseconds = try Self.unsigned(name, value, wire)
        case "binary_data_output":
            guard case .bool(let flag) = value else { throw Self.mismatch(name, "bool", wire) }
            prefersBinaryOutputs = flag
        case "triton_enable_empty_final_response" where wire == .grpc:
            guard case .bool(let flag) = value else { throw Self.mismatch(name, "bool", wire) }
            wantsEmptyFinalResponse = flag
        case "sequence_id":
            switch value {
            case .integer(0), .unsigned(0), .string(""): sequenceID = nil
            // The wires have signed numbers for it, and clients send all 64 bits.
            case .integer(let number): sequenceID = .number(UInt64(bitPattern: number))
            case .unsigned(let number): sequenceID = .number(number)
            case .string(let text):
                try ProtocolLimits.checkLength(text.utf8.count, name)
                sequenceID = .text(text)
            default: throw Self.mismatch(name, "int64 or string", wire)
            }
        case "sequence_start", "sequence_end":
            guard case .bool(let flag) = value else { throw Self.mismatch(name, "bool", wire) }
            if name == "sequence_start" { startsSequence = flag } else { endsSequence = flag }
        case _ where name.hasPrefix("triton_"):
            throw HalcyonError(
                .invalidArgument,
                "parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified.")
        default:
            if let index = forModel.firstIndex(where: { $0.name == name }) {
                forModel[index].value = value
            } else {
                forModel.append(InferenceParameter(name, value))
            }
        }
    }

    /// The request's place in a sequence; `nil` for one that belongs to none.
    package var sequence: InferenceSequence? {
        sequenceID.map { InferenceSequence(id: $0, isStart: startsSequence, isEnd: endsSequence) }
    }

    private static func unsigned(_ name: String, _ value: Value, _ wire: Wire) throws(HalcyonError) -> UInt64 {
        switch value {
        case .unsigned(let number): return number
        case .integer(let number) where number >= 0: return UInt64(number)
        case .integer(let number):
            throw HalcyonError(.invalidArgument, "parameter '\(name)' must not be negative, got \(number)")
        default: throw mismatch(name, "int64_param or uint64", wire)
        }
    }

    private static func mismatch(_ name: String, _ expected: String, _ wire: Wire) -> HalcyonError {
        switch wire {
        case .grpc:
            HalcyonError(
                .invalidArgument, "invalid value type for '\(name)' parameter, expected \(expected)_param.")
        case .http:
            HalcyonError(
                .invalidArgument,
                "Unable to parse '\(name)': attempt to access JSON non-\(jsonKind(expected)) as \(jsonKind(expected))")
        }
    }

    private static func jsonKind(_ expected: String) -> String {
        switch expected {
        case "bool": "boolean"
        case "int64 or string": "unsigned-integer or string"
        default: "unsigned-integer"
        }
    }
}
