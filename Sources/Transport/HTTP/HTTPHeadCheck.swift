internal import NIOHTTP1

/// What the parser lets pass in a request's head and two servers could read in two ways.
enum HTTPHeadCheck {
    static func error(in head: HTTPRequestHead) -> HTTPConnectionError? {
        let codings = head.headers[canonicalForm: "transfer-encoding"].filter { !$0.isEmpty }
        if let coding = codings.first(where: { $0.lowercased() != "chunked" }) {
            return HTTPConnectionError(
                .notImplemented,
                "transfer-encoding '\(coding.prefix(100))' is not supported, only chunked; a compressed body has a "
                    + "content-encoding")
        }
        guard codings.count <= 1 else {
            return HTTPConnectionError(.badRequest, "a body is chunked once, and transfer-encoding says so twice")
        }
        let hosts = head.headers["host"].count
        guard hosts < 2, hosts == 1 || !head.version.isModern else {
            return HTTPConnectionError(
                .badRequest, "a request of HTTP/1.1 names the server in one header 'Host', got \(hosts) of them")
        }
        return nil
    }
}
