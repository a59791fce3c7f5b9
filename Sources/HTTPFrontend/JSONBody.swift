internal import JSONText
internal import Tensors

/// The small JSON bodies of requests that are no inference.
enum JSONBody {
    /// The members of an object; none for an empty body.
    static func object(_ body: Buffer, depth: Int) throws(HalcyonError) -> [String: JSONValue] {
        guard body.byteCount > 0 else { return [:] }
        do {
            var members: [String: JSONValue] = [:]
            try body.withUnsafeBytes { text in
                var scanner = JSONScanner(text, maximumDepth: depth)
                try scanner.object { scanner, name in members[name] = try scanner.value() }
                try scanner.end()
            }
            return members
        } catch {
            throw HalcyonError(.invalidArgument, "failed to parse the request JSON buffer: \(error)")
        }
    }

    static func bool(_ body: Buffer, _ name: String, depth: Int) throws(HalcyonError) -> Bool? {
        guard let value = try object(body, depth: depth)[name] else { return nil }
        guard case .bool(let flag) = value else {
            throw HalcyonError(
                .invalidArgument, "Unable to parse '\(name)': attempt to access JSON non-boolean as boolean")
        }
        return flag
    }

    /// The strings of a body's `parameters`.
    static func parameters(_ body: Buffer, depth: Int) throws(HalcyonError) -> [String: String] {
        guard case .object(let members)? = try object(body, depth: depth)["parameters"] else { return [:] }
        var parameters: [String: String] = [:]
        for member in members {
            switch member.value {
            case .string(let text): parameters[member.key] = text
            case .bool(let flag): parameters[member.key] = flag ? "true" : "false"
            default:
                throw HalcyonError(
                    .invalidArgument,
                    "parameter '\(member.key)' has invalid type. It should be either 'bool' or 'string'.")
            }
        }
        return parameters
    }

    static func missing(_ name: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "Unable to parse '\(name)': it is missing or of the wrong type")
    }
}
