internal import NIOHTTP1

/// How long a request's body may be. `--http-max-input-size` is for what is read as a text and for raw and compressed
/// bodies; tensors that come as binary data behind their JSON may be as large as all that the server holds at a time.
struct BodyLimit: Hashable {
    let byteCount: Int
    /// What the limit is called.
    let name: String
    /// What is wrong with the announced lengths; `nil` where nothing is.
    private(set) var obstacle: String?

    /// - Parameters:
    ///   - maximum: `--http-max-input-size`.
    ///   - budget: `--max-inflight-bytes`.
    init(_ head: HTTPRequestHead, maximum: Int, budget: Int) {
        let json = head.headers.first(name: "inference-header-content-length").flatMap { Int($0) } ?? 0
        let hasBinaryData = json > 0 && !head.headers.contains(name: "content-encoding") && Self.isInference(head.uri)
        if hasBinaryData {
            (byteCount, name) = (budget, "max-inflight-bytes")
        } else if maximum <= budget {
            (byteCount, name) = (maximum, "http-max-input-size")
        } else {
            (byteCount, name) = (budget, "max-inflight-bytes")
        }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) }
        if let length, length > byteCount {
            obstacle =
                "the request's body of \(length) bytes exceeds the maximum allowed value of \(byteCount) bytes, "
                + "which --\(name) sets"
        } else if hasBinaryData, json > maximum {
            obstacle =
                "the request's JSON of \(json) bytes exceeds the maximum allowed value of \(maximum) bytes, which "
                + "--http-max-input-size sets"
        }
    }

    private static func isInference(_ uri: String) -> Bool { uri.prefix { $0 != "?" }.hasSuffix("/infer") }
}
