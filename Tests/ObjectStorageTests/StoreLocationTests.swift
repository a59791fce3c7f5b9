import Tensors
import Testing
import URIText

@testable import ObjectStorage

struct StoreLocationTests {
    @Test(
        arguments: [
            ("s3://bucket", "bucket", "", "bucket", nil), ("s3://bucket/a//b/", "bucket", "a/b", "b", nil),
            ("s3://http://localhost:9000/bucket/a", "bucket", "a", "a", "http://localhost:9000"),
            ("s3://https://host:443/bucket/a", "bucket", "a", "a", "https://host"),
            ("s3://10.0.0.1:9000/bucket", "bucket", "", "bucket", "http://10.0.0.1:9000"),
            ("s3://http://[::1]:9000/bucket/x", "bucket", "x", "x", "http://[::1]:9000"),
            ("gs://my_bucket.x/models", "my_bucket.x", "models", "models", nil),
            ("as://account/container/a/b", "container", "a/b", "b", nil),
            (
                "as://account.blob.core.windows.net/container", "container", "", "container",
                "https://account.blob.core.windows.net"
            ),
            ("as://127.0.0.1:10000/account/container/a", "container", "a", "a", "http://127.0.0.1:10000"),
        ] as [(String, String, String, String, String?)])
    func `A store is named as for Triton`(text: String, bucket: String, prefix: String, name: String, origin: String?)
        throws
    {
        let location = try StoreLocation(text)
        #expect(location.bucket == bucket)
        #expect(location.prefix == prefix)
        #expect(location.name == name)
        #expect(location.address?.origin == origin)
        if text.hasPrefix("as:") { #expect(location.account == "account") }
    }

    @Test(arguments: [
        "s3://", "s3:///x", "s3://b", "s3://http://user:word@host/bucket", "s3://host:99999/bucket",
        "s3://bucket/x?versionId=1",
        "s3://bu cket/x", "gs://", "as://account", "as:///container", "as://127.0.0.1:1/account",
        "https://host/models", "https://host/models.tar.gz", "https://host/models.tar.gz#sha256=12",
        "https://user:word@host/models.tar#sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ])
    func `What can't be meant is refused, and no password is shown`(text: String) {
        let error = #expect(throws: HalcyonError.self) { try StoreLocation(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("word@") == false)
    }

    @Test func `What may be secret in an address is not shown`() {
        #expect(WebAddressParts.shown("s3://http://u:p@host/b?x#y") == "s3://http://host/b")
        #expect(WebAddressParts.shown("http://a/b@c") == "http://c")
        #expect(WebAddressParts.shown("s3://b/p") == "s3://b/p")
        let error = #expect(throws: HalcyonError.self) { try WebAddress("ftp://u:p@host", name: "X") }
        #expect(error?.message.contains("u:p") == false)
    }

    @Test func `An archive has a checksum, and its query is not shown`() throws {
        let digits = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        let location = try StoreLocation("https://host/a/models.tar.gz?token=secret#sha256=\(digits)")
        #expect(location.text == "https://host/a/models.tar.gz")
        #expect(Hexadecimal.text(location.checksum) == digits)
        #expect(location.name == "models")
        #expect(location.query?.value == "token=secret")
        #expect(!"\(location)".contains("secret=") && !"\(location)".contains("token=secret"))
    }

    @Test func `Folders are no stores`() {
        for text in ["models", "/models", "file:///models", "hf://x/y", "a/s3://b"] {
            #expect(!StoreLocation.isStore(text))
        }
        for text in ["s3://b", "S3://b", "gs://b", "as://a/c", "https://h/x.zip"] {
            #expect(StoreLocation.isStore(text))
        }
    }
}
