internal import Tensors
internal import URIText

/// Amazon S3, and stores that speak its language.
struct S3Store: ObjectStore {
    let name = "S3"
    let bucket: String
    let address: WebAddress
    /// Whether the bucket stands in the path rather than in the host's name.
    let usesPath: Bool
    let region: String

    /// - Parameters:
    ///   - endpoint: whom to talk to in place of Amazon; `nil` for Amazon.
    ///   - usesPath: `nil` to leave it to the bucket's name: one with a dot fits no certificate.
    init(bucket: String, region: String, endpoint: WebAddress?, usesPath: Bool?) {
        self.bucket = bucket
        self.region = region
        let isName = bucket.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        let usesPath = usesPath ?? (endpoint != nil || !isName)
        self.usesPath = usesPath
        let suffix = region.hasPrefix("cn-") ? ".cn" : ""
        var address = endpoint ?? WebAddress(host: "s3.\(region).amazonaws.com\(suffix)")
        if !usesPath { address.host = "\(bucket).\(address.host)" }
        self.address = address
    }

    private func request(_ key: String) -> StoreRequest {
        let path = PercentEncoding.encode(key, keepsSlashes: true)
        return StoreRequest(.get, address, path: usesPath ? "/\(PercentEncoding.encode(bucket))/\(path)" : "/\(path)")
    }

    func listing(prefix: String, isDeep: Bool, next: String?) -> StoreRequest {
        var request = request("")
        // Some stores answer a bucket with a slash behind it as an object.
        if usesPath { request.path = String(request.path.dropLast()) }
        request.query = [.init("encoding-type", "url"), .init("list-type", "2"), .init("max-keys", "1000")]
        if !prefix.isEmpty { request.query.append(.init("prefix", prefix)) }
        if !isDeep { request.query.append(.init("delimiter", "/")) }
        if let next { request.query.append(.init("continuation-token", next)) }
        return request
    }

    func page(_ body: [UInt8]) throws(HalcyonError) -> ListingPage {
        let document = try XMLReader.element(body)
        guard document.name == "ListBucketResult" else {
            throw HalcyonError(
                .internal,
                "the store answered a listing with '\(UntrustedText.shown(document.name))': it does not speak S3")
        }
        let isEncoded = document.text(of: "EncodingType") == "url"
        func key(_ text: String?) throws(HalcyonError) -> String {
            guard let text, let key = isEncoded ? PercentEncoding.decode(text[...], plusIsSpace: true) : text else {
                throw HalcyonError(.internal, "the store's listing has a key that can't be read")
            }
            return key
        }
        var page = ListingPage()
        for entry in document.all("Contents") {
            let key = try key(entry.text(of: "Key"))
            guard let size = entry.text(of: "Size").flatMap({ Int64($0) }), size >= 0 else {
                throw HalcyonError(.internal, "the store's listing has no size for '\(UntrustedText.shown(key))'")
            }
            let tag = entry.text(of: "ETag") ?? ""
            page.objects.append(StoredObject(key: key, byteCount: size, tag: tag, md5: Self.md5(tag)))
        }
        for entry in document.all("CommonPrefixes") { page.folders.append(try key(entry.text(of: "Prefix"))) }
        if document.text(of: "IsTruncated") == "true" {
            guard let next = document.text(of: "NextContinuationToken"), !next.isEmpty else {
                throw HalcyonError(.internal, "the store's listing goes on and does not say how")
            }
            page.next = next
        }
        return page
    }

    /// The MD5 that a tag is, of objects that were written in one piece. Of those that the store has encrypted it is
    /// none though it looks like one.
    static func md5(_ tag: String) -> [UInt8]? {
        let digits = tag.filter { $0 != "\"" }
        return digits.utf8.count == 32 ? Hexadecimal.bytes(digits) : nil
    }

    func content(of object: StoredObject) -> StoreRequest {
        var request = request(object.key)
        if !object.tag.isEmpty { request.set("if-match", object.tag) }
        return request
    }

    func signed(
        _ request: StoreRequest, _ credentials: StoreCredentials, region: String?, at time: UTCTime
    ) -> StoreRequest {
        guard case .aws(let keys) = credentials else { return request }
        return AWSSignature(keys: keys, region: region ?? self.region, service: "s3").signed(request, at: time)
    }

    func refusal(_ answer: StoreAnswer) -> StoreRefusal {
        let header = answer.header("x-amz-bucket-region")
        guard let document = try? XMLReader.element(answer.body), document.name == "Error" else {
            return StoreRefusal(region: header)
        }
        return StoreRefusal(
            code: document.text(of: "Code") ?? "", message: document.text(of: "Message") ?? "",
            region: header ?? document.text(of: "Region"))
    }
}
