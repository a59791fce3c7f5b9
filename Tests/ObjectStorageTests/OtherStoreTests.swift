import Tensors
import Testing
import URIText

@testable import ObjectStorage

struct GoogleStoreTests {
    private let store = GoogleStore(bucket: "bucket", address: WebAddress(host: "storage.googleapis.com"))

    @Test func `A listing and an object are asked for by the JSON interface`() {
        let listing = store.listing(prefix: "a b/", isDeep: false, next: "t=")
        #expect(listing.url.hasPrefix("https://storage.googleapis.com/storage/v1/b/bucket/o?fields="))
        #expect(listing.url.hasSuffix("&prefix=a%20b%2F&delimiter=%2F&pageToken=t%3D"))
        let object = store.content(of: StoredObject(key: "m/1/a b", byteCount: 1, tag: "17"))
        #expect(
            object.url == "https://storage.googleapis.com/storage/v1/b/bucket/o/m%2F1%2Fa%20b?alt=media&generation=17")
        let signed = store.signed(object, .bearer(Secret("t")), region: nil, at: UTCTime(seconds: 0))
        #expect(signed.headers.contains(.init("authorization", "Bearer t")))
    }

    @Test func `A part of a listing is read`() throws {
        let text = """
            {"kind": "storage#objects", "nextPageToken": "n", "prefixes": ["m/"],
             "items": [{"name": "a", "size": "12", "generation": "17", "etag": "e",
                        "md5Hash": "kzbr8lCH2RyBjubp7Cn4wQ=="}]}
            """
        let page = try store.page(Array(text.utf8))
        #expect(page.objects.map(\.tag) == ["17"])
        #expect(page.objects[0].md5.map { Hexadecimal.text($0) } == "9336ebf25087d91c818ee6e9ec29f8c1")
        #expect(page.folders == ["m/"] && page.next == "n")
        for text in ["", "[]", "{}", #"{"kind": "storage#objects", "items": [{"name": "a", "size": "x"}]}"#] {
            #expect(throws: HalcyonError.self) { try store.page(Array(text.utf8)) }
        }
    }

    @Test func `What an account of a service signs names it, whom it asks and how long it holds`() {
        let assertion = ServiceAccountAssertion(email: "a@b", keyIdentifier: "k", audience: "https://t", scope: "s")
        let parts = assertion.text(at: UTCTime(seconds: 100)).split(separator: ".")
        #expect(parts.count == 2)
        #expect(Base64Text.addressText(Array(#"{"alg":"RS256","typ":"JWT","kid":"k"}"#.utf8)) == parts[0])
        let claims = #"{"iss":"a@b","scope":"s","aud":"https://t","iat":100,"exp":3700}"#
        #expect(Base64Text.addressText(Array(claims.utf8)) == parts[1])
        let error = #expect(throws: HalcyonError.self) {
            try assertion.signed(by: "no key", at: UTCTime(seconds: 0), file: "f")
        }
        #expect(error?.message == "the private_key of 'f' is no RSA key in PEM")
    }

    private func steps(_ file: String, _ more: [String: String] = [:]) throws -> CredentialStep? {
        let surroundings = Surroundings(environment: ["GOOGLE_APPLICATION_CREDENTIALS": "/f", "NO_GCE_CHECK": "true"]) {
            $0 == "/f" ? Array(file.utf8) : more[$0].map { Array($0.utf8) }
        }
        return try GoogleCredentials(surroundings: surroundings).sources[0].begin(UTCTime(seconds: 0))
    }

    @Test func `A user's file and a federated identity lead to a token`() throws {
        let user = #"{"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}"#
        guard case .ask(let request, let then)? = try steps(user) else {
            Issue.record("nobody is asked")
            return
        }
        #expect(request.url == "https://oauth2.googleapis.com/token")
        #expect(String(decoding: request.body, as: UTF8.self).contains("refresh_token=r"))
        let answer = StoreAnswer(status: 200, body: Array(#"{"access_token": "t", "expires_in": 60}"#.utf8))
        guard case .done(let credentials, let expiry) = try then(answer) else {
            Issue.record("there is no token")
            return
        }
        #expect(credentials == .bearer(Secret("t")))
        #expect(expiry == UTCTime(seconds: 60))
        let federated = """
            {"type": "external_account", "audience": "a", "subject_token_type": "jwt", "token_url": "https://sts/t",
             "credential_source": {"file": "/t"}}
            """
        guard case .ask(let exchange, _)? = try steps(federated, ["/t": "subject"]) else {
            Issue.record("nobody is asked")
            return
        }
        #expect(String(decoding: exchange.body, as: UTF8.self).contains("subject_token=subject"))
        for file in ["", "{}", #"{"type": "x"}"#, #"{"type": "service_account"}"#] {
            #expect(throws: HalcyonError.self) { try steps(file) }
        }
    }
}

struct ArchiveStoreTests {
    @Test func `An archive is followed to where it is sent on to, but not to where nothing is secure`() {
        let request = StoreRequest(.get, WebAddress(host: "a"), path: "/x")
        let next = { (status: Int, location: String) in
            ArchiveStore.redirected(request, by: StoreAnswer(status: status, headers: [.init("location", location)]))?
                .url
        }
        #expect(next(302, "https://b/y?t=1%202") == "https://b/y?t=1%202")
        #expect(next(308, "/z") == "https://a/z")
        #expect(next(302, "http://b/y") == nil)
        #expect(next(200, "https://b/y") == nil)
        #expect(next(302, "ftp://b/y") == nil)
    }

    @Test func `How long an archive is, is seen by either answer`() {
        #expect(
            ArchiveStore.byteCount(StoreAnswer(status: 206, headers: [.init("content-range", "bytes 0-0/17")])) == 17)
        #expect(ArchiveStore.byteCount(StoreAnswer(status: 200, headers: [.init("content-length", "17")])) == 17)
        #expect(
            ArchiveStore.byteCount(StoreAnswer(status: 206, headers: [.init("content-range", "bytes 0-0/*")])) == nil)
    }
}

struct AzureStoreTests {
    private let store = AzureStore(
        account: "account", container: "container", address: WebAddress(host: "account.blob.core.windows.net"))
    private let time = UTCTime(seconds: 1_369_353_600)

    private func authorization(_ request: StoreRequest) -> String? {
        let credentials = StoreCredentials.azureKey(account: "account", key: Array("key".utf8))
        return store.signed(request, credentials, region: nil, at: time).headers.first { $0.name == "authorization" }?
            .value
    }

    @Test func `Requests are signed by the account's key`() {
        var object = store.content(of: StoredObject(key: "a b", byteCount: 1, tag: "\"0x1\""))
        object.set("range", "bytes=0-9")
        // As another program makes them of the same text.
        #expect(authorization(object) == "SharedKey account:kjHAJ8rRfpikUo2plv1odabLRlqQFRALZ9pocBSbwYY=")
        let listing = store.listing(prefix: "p/", isDeep: true, next: nil)
        #expect(authorization(listing) == "SharedKey account:iExxgKFPJa4gL+f6VUqOgD3TEwyXOru8ffwsTl0CZaY=")
    }

    @Test func `A shared access signature becomes a part of the query`() {
        let request = store.signed(
            store.listing(prefix: "", isDeep: true, next: nil), .sharedAccess(Secret("sv=1&sig=a%2Bb%3D")), region: nil,
            at: time)
        #expect(request.url.hasSuffix("&sv=1&sig=a%2Bb%3D"))
    }

    @Test func `A part of a listing is read`() throws {
        let text = """
            <EnumerationResults><Blobs><Blob><Name>a</Name><Properties><Content-Length>3</Content-Length>
            <Etag>0x1</Etag>
            <Content-MD5/></Properties></Blob><Blob><Name>d</Name><Properties><Content-Length>0</Content-Length>
            <ResourceType>directory</ResourceType></Properties></Blob><BlobPrefix><Name>m/</Name></BlobPrefix></Blobs>
            <NextMarker>n</NextMarker></EnumerationResults>
            """
        let page = try store.page(Array(text.utf8))
        #expect(page.objects.map(\.key) == ["a", "d/"])
        #expect(page.objects[0].tag == "\"0x1\"" && page.objects[0].md5 == nil)
        #expect(page.folders == ["m/"] && page.next == "n")
        #expect(throws: HalcyonError.self) { try store.page(Array("<EnumerationResults/><x/>".utf8)) }
    }

    @Test func `Credentials are found in each place, and those of another account are not taken`() throws {
        func first(_ environment: [String: String]) throws -> StoreCredentials? {
            let surroundings = Surroundings(environment: environment) { _ in nil }
            for source in AzureCredentials(surroundings: surroundings, account: "account").sources
            where !source.isPerhaps {
                if case .done(let credentials, _)? = try source.begin(time) { return credentials }
            }
            return nil
        }
        let key = StoreCredentials.azureKey(account: "account", key: Array("key".utf8))
        #expect(try first(["AZURE_STORAGE_KEY": "a2V5"]) == key)
        #expect(try first(["AZURE_STORAGE_KEY": "a2V5", "AZURE_STORAGE_ACCOUNT": "other"]) == nil)
        #expect(try first(["AZURE_STORAGE_CONNECTION_STRING": "AccountName=account;AccountKey=a2V5"]) == key)
        #expect(try first(["AZURE_STORAGE_CONNECTION_STRING": "AccountName=other;AccountKey=a2V5"]) == nil)
        #expect(try first(["AZURE_STORAGE_SAS_TOKEN": "?sig=x"]) == .sharedAccess(Secret("sig=x")))
        #expect(throws: HalcyonError.self) { try first(["AZURE_STORAGE_KEY": "!"]) }
    }
}
