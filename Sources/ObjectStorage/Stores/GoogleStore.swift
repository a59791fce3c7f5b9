internal import FoundationEssentials
internal import Tensors
internal import URIText

/// Google Cloud Storage, by its JSON interface.
struct GoogleStore: ObjectStore {
    let name = "Google Cloud Storage"
    let bucket: String
    let address: WebAddress

    private func request(_ path: String) -> StoreRequest {
        StoreRequest(.get, address, path: "/storage/v1/b/\(PercentEncoding.encode(bucket))/o\(path)")
    }

    func listing(prefix: String, isDeep: Bool, next: String?) -> StoreRequest {
        var request = request("")
        request.query = [
            .init("fields", "kind,nextPageToken,prefixes,items(name,size,etag,generation,md5Hash)"),
            .init("maxResults", "1000"),
        ]
        if !prefix.isEmpty { request.query.append(.init("prefix", prefix)) }
        if !isDeep { request.query.append(.init("delimiter", "/")) }
        if let next { request.query.append(.init("pageToken", next)) }
        return request
    }

    func page(_ body: [UInt8]) throws(HalcyonError) -> ListingPage {
        guard let document = JSONFields(body), document.text("kind") == "storage#objects" else {
            throw HalcyonError(.internal, "the store's answer is no listing of Google Cloud Storage")
        }
        var page = ListingPage(folders: document.texts("prefixes"), next: document.text("nextPageToken"))
        for item in document.objects("items") {
            guard let key = item.text("name"), let size = item.number("size"), size >= 0 else {
                throw HalcyonError(.internal, "the store's listing has an object without a name or a size")
            }
            // A generation is another one for each content.
            page.objects.append(
                StoredObject(
                    key: key, byteCount: size,
                    tag: item.number("generation").map { String($0) } ?? item.text("etag") ?? "",
                    md5: item.text("md5Hash").flatMap { Base64Text.bytes($0) }))
        }
        return page
    }

    func content(of object: StoredObject) -> StoreRequest {
        var request = request("/\(PercentEncoding.encode(object.key))")
        request.query = [.init("alt", "media")]
        // As it is stored, and not as it was before that.
        request.set("accept-encoding", "gzip")
        if Int64(object.tag) != nil { request.query.append(.init("generation", object.tag)) }
        return request
    }

    func signed(
        _ request: StoreRequest, _ credentials: StoreCredentials, region: String?, at time: UTCTime
    ) -> StoreRequest {
        guard case .bearer(let token) = credentials else { return request }
        var request = request
        request.set("authorization", "Bearer \(token.value)")
        return request
    }

    func refusal(_ answer: StoreAnswer) -> StoreRefusal {
        guard let error = JSONFields(answer.body)?.object("error") else { return StoreRefusal() }
        return StoreRefusal(
            code: error.objects("errors").first?.text("reason") ?? "", message: error.text("message") ?? "")
    }
}

/// Bytes as letters.
enum Base64Text {
    /// - Returns: `nil` for what is none.
    static func bytes(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { Array($0) } }

    static func text(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// In the form for addresses, without what fills it up.
    static func addressText(_ bytes: [UInt8]) -> String {
        String(
            text(bytes).compactMap { letter -> Character? in
                switch letter {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: letter
                }
            })
    }
}
