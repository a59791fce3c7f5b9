internal import Tensors

/// Bodies that clients send by mistake, told by their first bytes: what to do is said where they can't be read.
enum ForeignBody {
    /// - Returns: a sentence for an error to end with; `nil` for what looks like JSON.
    static func advice(_ body: TensorBuffer) -> String? {
        body.withUnsafeBytes { bytes in advice(Array(bytes.prefix(256))) }
    }

    /// - Parameter head: the body's first bytes.
    static func advice(_ head: [UInt8]) -> String? {
        if head.isEmpty { return "the body is empty" }
        let marks: [(bytes: [UInt8], what: String)] = [
            ([0x1F, 0x8B], "the body is gzip: say so with the header Content-Encoding: gzip"),
            ([0xEF, 0xBB, 0xBF], "the body begins with a byte order mark: leave it out"),
            ([0xFF, 0xFE], "the body is UTF-16: JSON is sent as UTF-8"),
            ([0xFE, 0xFF], "the body is UTF-16: JSON is sent as UTF-8"),
            ([0xFF, 0xD8, 0xFF], picture), ([0x89, 0x50, 0x4E, 0x47], picture),
        ]
        if let mark = marks.first(where: { head.starts(with: $0.bytes) }) { return mark.what }
        let text = String(decoding: head.drop { $0 <= 0x20 }, as: UTF8.self)
        if text.hasPrefix("--") { return multipart }
        if text.hasPrefix("<") { return "the body is XML or HTML: a request is JSON" }
        if text.hasPrefix("@") {
            return "the body is a file's name: curl reads a file with --data-binary @FILE, between quotes too"
        }
        let opening = text.drop { "[{ \t\r\n".contains($0) }
        if text.hasPrefix("{") || text.hasPrefix("["), opening.hasPrefix("'") {
            return "JSON has texts in double quotes: Python writes it with json.dumps"
        }
        let name = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.%+".contains($0)) }
        if !name.isEmpty, text[name.endIndex...].hasPrefix("=") {
            return "the body is a form: send the JSON itself (requests.post(url, json=…), curl --data-binary @FILE)"
        }
        return nil
    }

    static let multipart =
        "multipart/form-data is not taken: send the JSON itself as the body (curl --data-binary @FILE in place of -F)"

    private static let picture =
        "the body is a picture: the header Inference-Header-Content-Length: 0 says that it has no JSON before it"
}
