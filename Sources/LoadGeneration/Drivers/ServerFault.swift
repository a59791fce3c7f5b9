internal import JSONText

/// What was wrong with an answer, in few words; `nil` for a good one.
enum ServerFault {
    private static let limit = 200

    static func text(_ answer: HTTPAnswer) -> String? {
        guard !(200..<300).contains(answer.status) else { return nil }
        return "HTTP \(answer.status)" + suffix(message(answer))
    }

    static func text(_ answer: GRPCAnswer) -> String? {
        guard answer.status != 0 else { return nil }
        let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]
        let name = names.indices.contains(answer.status) ? names[answer.status] : String(answer.status)
        return "gRPC \(name)" + suffix(answer.message)
    }

    /// What the server itself says, without the status.
    static func message(_ answer: HTTPAnswer) -> String {
        let document = try? JSONValue.read(answer.body, "")
        return document?["error"]?.text ?? String(decoding: answer.body.prefix(limit), as: UTF8.self)
    }

    private static func suffix(_ message: String) -> String {
        // A line of a report: what a server says may have any number.
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.isEmpty ? "" : ": " + String(line.prefix(limit))
    }
}
