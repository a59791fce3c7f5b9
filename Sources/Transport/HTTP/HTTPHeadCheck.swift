internal import NIOHTTP1

/// What the parser lets pass in a request's head and two servers could read in two ways.
enum HTTPHeadCheck {
    static func error(in head: HTTPRequestHead) -> HTTPConnectionError? {
        // One look at all names: nearly every request has one host and no coding.
        var hosts = 0
        var hasCodings = false
        for (name, _) in head.headers {
            switch name.utf8.count {
            case 4: hosts += resembles(name, "host") ? 1 : 0
            case 17: hasCodings = hasCodings || resembles(name, "transfer-encoding")
            default: break
            }
        }
        let codings = hasCodings ? head.headers[canonicalForm: "transfer-encoding"].filter { !$0.isEmpty } : []
        if let coding = codings.first(where: { $0.lowercased() != "chunked" }) {
            return HTTPConnectionError(
                .notImplemented,
                "transfer-encoding '\(coding.prefix(100))' is not supported, only chunked; a compressed body has a "
                    + "content-encoding")
        }
        guard codings.count <= 1 else {
            return HTTPConnectionError(.badRequest, "a body is chunked once, and transfer-encoding says so twice")
        }
        guard hosts < 2, hosts == 1 || !head.version.isModern else {
            return HTTPConnectionError(
                .badRequest, "a request of HTTP/1.1 names the server in one header 'Host', got \(hosts) of them")
        }
        return nil
    }

    /// Whether a header's name is a word that is given in small letters, whatever its own are.
    private static func resembles(_ name: String, _ word: StaticString) -> Bool {
        let word = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        return name.utf8.elementsEqual(word) { $0 | 0x20 == $1 }
    }
}
