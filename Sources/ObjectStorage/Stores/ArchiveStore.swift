internal import Tensors
internal import URIText

/// A server of the web that has one archive with all models.
struct ArchiveStore: ObjectStore {
    let name = "the web"
    let location: StoreLocation
    let address: WebAddress

    private var request: StoreRequest {
        var request = StoreRequest(.get, address, path: location.prefix)
        request.query = Self.fields(location.query?.value ?? "")
        return request
    }

    /// Asks for one byte, in answer to which a server says how many there are.
    func listing(prefix: String, isDeep: Bool, next: String?) -> StoreRequest {
        var request = request
        request.set("range", "bytes=0-0")
        return request
    }

    /// There is no listing of one file.
    func page(_ body: [UInt8]) throws(HalcyonError) -> ListingPage { ListingPage() }

    /// Where an answer sends on to; `nil` where it does not, or from TLS to an address without.
    static func redirected(_ request: StoreRequest, by answer: StoreAnswer) -> StoreRequest? {
        guard [301, 302, 303, 307, 308].contains(answer.status), let text = answer.header("location") else {
            return nil
        }
        let whole = text.hasPrefix("/") && !text.hasPrefix("//") ? request.address.origin + text : text
        guard let parts = WebAddressParts(whole), parts.address.isSecure || !request.address.isSecure else {
            return nil
        }
        var next = StoreRequest(.get, parts.address, path: parts.path.isEmpty ? "/" : parts.path)
        next.headers = request.headers
        next.query = fields(parts.query ?? "")
        return next
    }

    private static func fields(_ query: String) -> [StoreRequest.Field] {
        query.split(separator: "&").map { field in
            let parts = field.split(separator: "=", maxSplits: 1).map { PercentEncoding.decode($0) ?? String($0) }
            return .init(parts.first ?? "", parts.count > 1 ? parts[1] : "")
        }
    }

    /// How many bytes there are, by the answer to ``listing(prefix:isDeep:next:)``; `nil` where it does not say.
    static func byteCount(_ head: StoreAnswer) -> Int64? {
        if head.status == 206 { return head.header("content-range")?.split(separator: "/").last.flatMap { Int64($0) } }
        return head.header("content-length").flatMap { Int64($0) }
    }

    func content(of object: StoredObject) -> StoreRequest { request }

    func signed(
        _ request: StoreRequest, _ credentials: StoreCredentials, region: String?, at time: UTCTime
    ) -> StoreRequest { request }

    func refusal(_ answer: StoreAnswer) -> StoreRefusal { StoreRefusal() }
}
