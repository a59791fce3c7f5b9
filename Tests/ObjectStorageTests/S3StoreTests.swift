import Tensors
import Testing

@testable import ObjectStorage

struct S3StoreTests {
    private let amazon = S3Store(bucket: "bucket", region: "eu-central-1", endpoint: nil, usesPath: nil)

    private func page(_ inner: String) throws -> ListingPage {
        try amazon.page(Array("<ListBucketResult>\(inner)</ListBucketResult>".utf8))
    }

    @Test func `Amazon is asked by the bucket's name, other stores by the path`() throws {
        #expect(
            amazon.listing(prefix: "a b/", isDeep: true, next: nil).url
                == "https://bucket.s3.eu-central-1.amazonaws.com/"
                + "?encoding-type=url&list-type=2&max-keys=1000&prefix=a%20b%2F"
        )
        let dotted = S3Store(bucket: "a.b", region: "cn-north-1", endpoint: nil, usesPath: nil)
        #expect(
            dotted.listing(prefix: "", isDeep: false, next: nil).url.hasPrefix(
                "https://s3.cn-north-1.amazonaws.com.cn/a.b?"))
        let other = S3Store(
            bucket: "bucket", region: "us-east-1", endpoint: try WebAddress("http://localhost:9000/s3/", name: ""),
            usesPath: nil)
        let object = StoredObject(key: "m/1/a+b", byteCount: 1, tag: "\"x\"")
        #expect(other.content(of: object).url == "http://localhost:9000/s3/bucket/m/1/a%2Bb")
        #expect(other.content(of: object).headers == [.init("if-match", "\"x\"")])
        #expect(
            other.listing(prefix: "", isDeep: false, next: "n/=").url.hasSuffix(
                "&delimiter=%2F&continuation-token=n%2F%3D"))
        #expect(S3Store(bucket: "bucket", region: "r", endpoint: nil, usesPath: true).usesPath)
    }

    @Test func `A part of a listing is read`() throws {
        let page = try page(
            """
            <IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken>
            <EncodingType>url</EncodingType>
            <Contents><Key>a%2Bb+c</Key><ETag>"9336ebf25087d91c818ee6e9ec29f8c1"</ETag><Size>12</Size></Contents>
            <Contents><Key>d</Key><ETag>"9336ebf25087d91c818ee6e9ec29f8c1-2"</ETag><Size>0</Size></Contents>
            <CommonPrefixes><Prefix>m%2F</Prefix></CommonPrefixes>
            """)
        #expect(page.objects.map(\.key) == ["a+b c", "d"])
        #expect(page.objects.map(\.byteCount) == [12, 0])
        #expect(page.objects[0].md5?.first == 0x93)
        #expect(page.objects[1].md5 == nil)
        #expect(page.folders == ["m/"])
        #expect(page.next == "n")
    }

    @Test(arguments: [
        "<Contents><Key>a</Key></Contents>", "<Contents><Key>a</Key><Size>-1</Size></Contents>",
        "<Contents><Size>1</Size></Contents>", "<IsTruncated>true</IsTruncated>",
        "<EncodingType>url</EncodingType><Contents><Key>%</Key><Size>1</Size></Contents>",
    ])
    func `A listing that lacks something is refused`(inner: String) {
        #expect(throws: HalcyonError.self) { try page(inner) }
    }

    @Test func `Another document is no listing`() {
        let error = #expect(throws: HalcyonError.self) { try amazon.page(Array("<html></html>".utf8)) }
        #expect(error?.message.contains("it does not speak S3") == true)
    }

    @Test func `A refusal's code, sentence and region are read`() {
        let body =
            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>bad\nregion</Message>"
            + "<Region>eu-west-1</Region></Error>"
        let refusal = amazon.refusal(StoreAnswer(status: 400, body: Array(body.utf8)))
        #expect(
            refusal == StoreRefusal(code: "AuthorizationHeaderMalformed", message: "badregion", region: "eu-west-1"))
        let header = StoreAnswer(status: 301, headers: [.init("x-amz-bucket-region", "us-west-2")])
        #expect(amazon.refusal(header).region == "us-west-2")
        #expect(amazon.refusal(StoreAnswer(status: 500)) == StoreRefusal())
    }
}
