internal import Halcyon
internal import JSONText
internal import KServeProtocol
internal import Tensors

/// The small JSON bodies of requests that are no inference.
enum JSONBody {
    /// The members of an object; none for an empty body.
    static func object(_ body: TensorBuffer, limits: ProtocolLimits) throws(HalcyonError) -> [String: JSONValue] {
        guard body.byteCount > 0 else { return [:] }
        do {
            var members: [String: JSONValue] = [:]
            try body.withUnsafeBytes { text in
                var scanner = JSONScanner(text, limits: limits.documentText)
                try scanner.object { scanner, name in members[name] = try scanner.value() }
                try scanner.end()
            }
            return members
        } catch {
            throw HalcyonError(.invalidArgument, "failed to parse the request JSON buffer: \(error)", cause: error)
        }
    }

    static func bool(_ body: TensorBuffer, _ name: String, limits: ProtocolLimits) throws(HalcyonError) -> Bool? {
        guard let value = try object(body, limits: limits)[name] else { return nil }
        guard case .bool(let flag) = value else {
            throw HalcyonError(
                .invalidArgument, "Unable to parse '\(name)': attempt to access JSON non-boolean as boolean")
        }
        return flag
    }

    /// Members whose values are texts, lists of texts, or null, which is an empty list.
    static func texts(_ body: TensorBuffer, limits: ProtocolLimits) throws(HalcyonError) -> [String: [String]] {
        var texts: [String: [String]] = [:]
        for (name, value) in try object(body, limits: limits) {
            switch value {
            case .null: texts[name] = []
            case .string(let text): texts[name] = [text]
            case .array(let values):
                texts[name] = try values.map { value throws(HalcyonError) in
                    guard case .string(let text) = value else { throw missing(name) }
                    return text
                }
            default: throw missing(name)
            }
        }
        return texts
    }

    /// A body's `parameters`.
    static func parameters(_ body: TensorBuffer, limits: ProtocolLimits) throws(HalcyonError) -> [String: LoadRequest
        .Value]
    {
        guard let given = try object(body, limits: limits)["parameters"] else { return [:] }
        guard case .object(let members) = given else {
            throw HalcyonError(
                .invalidArgument, "Unable to parse 'parameters': attempt to access JSON non-object as object")
        }
        var parameters: [String: LoadRequest.Value] = [:]
        for member in members {
            if case .string(let text) = member.value {
                parameters[member.key] = .text(text)
            } else {
                parameters[member.key] = .other
            }
        }
        return parameters
    }

    /// A flag among a body's `parameters`; false where it is not there.
    static func flag(_ body: TensorBuffer, _ name: String, limits: ProtocolLimits) throws(HalcyonError) -> Bool {
        guard let value = try object(body, limits: limits)["parameters"]?[name] else { return false }
        guard case .bool(let flag) = value else { throw missing("parameters.\(name)") }
        return flag
    }

    static func missing(_ name: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "Unable to parse '\(name)': it is missing or of the wrong type")
    }
}
