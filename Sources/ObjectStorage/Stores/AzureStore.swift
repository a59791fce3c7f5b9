internal import Tensors
internal import URIText

/// Azure's blob storage.
struct AzureStore: ObjectStore {
    static let version = "2021-12-02"

    let name = "Azure"
    let account: String
    let container: String
    let address: WebAddress

    private func request(_ key: String) -> StoreRequest {
        let path = key.isEmpty ? "" : "/\(PercentEncoding.encode(key, keepsSlashes: true))"
        return StoreRequest(.get, address, path: "/\(PercentEncoding.encode(container))\(path)")
    }

    func listing(prefix: String, isDeep: Bool, next: String?) -> StoreRequest {
        var request = request("")
        request.query = [.init("restype", "container"), .init("comp", "list"), .init("maxresults", "1000")]
        if !prefix.isEmpty { request.query.append(.init("prefix", prefix)) }
        if !isDeep { request.query.append(.init("delimiter", "/")) }
        if let next { request.query.append(.init("marker", next)) }
        return request
    }

    func page(_ body: [UInt8]) throws(HalcyonError) -> ListingPage {
        let document = try XMLReader.element(body)
        guard document.name == "EnumerationResults" else {
            throw HalcyonError(
                .internal,
                "the store answered a listing with '\(UntrustedText.shown(document.name))': it does not speak "
                    + "Azure's language")
        }
        var page = ListingPage()
        for blob in document["Blobs"]?.all("Blob") ?? [] {
            let properties = blob["Properties"]
            guard let key = blob.text(of: "Name"),
                let size = properties?.text(of: "Content-Length").flatMap({ Int64($0) }), size >= 0
            else { throw HalcyonError(.internal, "the store's listing has an object without a name or a size") }
            // Stores with folders list them as objects.
            let isFolder = properties?.text(of: "ResourceType") == "directory"
            let tag = properties?.text(of: "Etag") ?? ""
            page.objects.append(
                StoredObject(
                    key: isFolder ? key + "/" : key, byteCount: size, tag: tag.hasPrefix("\"") ? tag : "\"\(tag)\"",
                    md5: properties?.text(of: "Content-MD5").flatMap { $0.isEmpty ? nil : Base64Text.bytes($0) }))
        }
        page.folders = document["Blobs"]?.all("BlobPrefix").compactMap { $0.text(of: "Name") } ?? []
        page.next = document.text(of: "NextMarker").flatMap { $0.isEmpty ? nil : $0 }
        return page
    }

    func content(of object: StoredObject) -> StoreRequest {
        var request = request(object.key)
        request.set("if-match", object.tag)
        return request
    }

    func signed(
        _ request: StoreRequest, _ credentials: StoreCredentials, region: String?, at time: UTCTime
    ) -> StoreRequest {
        var request = request
        request.set("x-ms-version", Self.version)
        request.set("x-ms-date", time.header)
        switch credentials {
        case .bearer(let token): request.set("authorization", "Bearer \(token.value)")
        case .azureKey(let account, let key):
            request.set("authorization", AzureSignature(account: account, key: key).authorization(request))
        case .sharedAccess(let query):
            for field in query.value.split(separator: "&") {
                let parts = field.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, let value = PercentEncoding.decode(parts[1]) else { continue }
                request.query.append(.init(String(parts[0]), value))
            }
        case .aws, .none: break
        }
        return request
    }

    func refusal(_ answer: StoreAnswer) -> StoreRefusal {
        let document = try? XMLReader.element(answer.body)
        let message = document?.text(of: "Message")?.split(whereSeparator: \.isNewline).first
        return StoreRefusal(
            code: answer.header("x-ms-error-code") ?? document?.text(of: "Code") ?? "",
            message: message.map { String($0) } ?? "")
    }
}
