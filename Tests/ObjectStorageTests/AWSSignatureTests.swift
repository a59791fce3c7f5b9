import Testing

@testable import ObjectStorage

/// What AWS has published of its signature: the examples of "Signature Calculations for the Authorization Header", and
/// that of the general reference.
struct AWSSignatureTests {
    private static let keys = AWSKeys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    private static let time = UTCTime(iso: "2013-05-24T00:00:00Z") ?? UTCTime(seconds: 0)

    private func authorization(_ path: String, query: [StoreRequest.Field] = [], range: String? = nil) -> String? {
        var request = StoreRequest(.get, WebAddress(host: "examplebucket.s3.amazonaws.com"), path: path)
        request.query = query
        if let range { request.set("range", range) }
        let signature = AWSSignature(keys: Self.keys, region: "us-east-1", service: "s3")
        return signature.signed(request, at: Self.time).headers.first { $0.name == "authorization" }?.value
    }

    @Test func `The published example of an object's range is signed`() {
        #expect(
            authorization("/test.txt", range: "bytes=0-9")
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test(arguments: [
        ([StoreRequest.Field("lifecycle", "")], "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            [StoreRequest.Field("prefix", "J"), StoreRequest.Field("max-keys", "2")],
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ),
    ])
    func `The published examples of a bucket are signed`(query: [StoreRequest.Field], signature: String) {
        #expect(authorization("/", query: query)?.hasSuffix("Signature=\(signature)") == true)
    }

    @Test func `The published example of the general reference is signed`() {
        var request = StoreRequest(.get, WebAddress(host: "iam.amazonaws.com"), path: "/")
        request.query = [.init("Action", "ListUsers"), .init("Version", "2010-05-08")]
        request.set("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        let keys = AWSKeys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        let signed = AWSSignature(keys: keys, region: "us-east-1", service: "iam").signed(
            request, at: UTCTime(iso: "2015-08-30T12:36:00Z") ?? UTCTime(seconds: 0))
        #expect(
            signed.headers.first { $0.name == "authorization" }?.value.hasSuffix(
                "SignedHeaders=content-type;host;x-amz-date,"
                    + "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7") == true)
    }

    @Test func `A session's token is signed and sent`() {
        let keys = AWSKeys("A", "B", sessionToken: "T")
        let signed = AWSSignature(keys: keys, region: "eu-west-1", service: "s3").signed(
            StoreRequest(.get, WebAddress(host: "h"), path: "/"), at: Self.time)
        #expect(signed.headers.contains(.init("x-amz-security-token", "T")))
        #expect(!signed.headers.contains { $0.name == "host" })
        #expect(signed.headers.contains { $0.value.contains("x-amz-date;x-amz-security-token,") })
    }
}

struct UTCTimeTests {
    @Test(
        arguments: [
            (0, "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_369_353_600, "20130524T000000Z", "Fri, 24 May 2013 00:00:00 GMT"),
            (1_709_251_199, "20240229T235959Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_102_444_800, "21000101T000000Z", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ] as [(Int64, String, String)])
    func `A second is written in each form and read back`(seconds: Int64, compact: String, header: String) {
        let time = UTCTime(seconds: seconds)
        #expect(time.compact == compact)
        #expect(time.header == header)
        #expect(UTCTime(header: header) == time)
    }

    @Test func `A time in an answer is read with what does not count`() {
        #expect(UTCTime(iso: "2013-05-24T00:00:00Z")?.seconds == 1_369_353_600)
        #expect(UTCTime(iso: "2013-05-24T00:00:00.123456Z")?.seconds == 1_369_353_600)
        for text in ["", "2013-05-24", "2013-13-24T00:00:00Z", "x-y-zT1:2:3", "2013-05-24T25:00:00Z"] {
            #expect(UTCTime(iso: text) == nil)
        }
        #expect(UTCTime(header: "Fri, 24 Foo 2013 00:00:00 GMT") == nil)
    }

    @Test(arguments: [(60, 60), (nil, 3600), (0, 0), (-5, 0), (.min, 0), (.max, 1_000_000)] as [(Int64?, Int64)])
    func `Any lifetime gives a time`(lifetime: Int64?, seconds: Int64) {
        let now = UTCTime(seconds: 1_700_000_000)
        #expect(UTCTime(now: now, lifetime: lifetime).seconds - now.seconds == seconds)
    }

    @Test func `Credentials that last five minutes more are renewed`() {
        let now = UTCTime(seconds: 1_700_000_000)
        #expect(UTCTime(seconds: now.seconds + 300).isSoon(after: now))
        #expect(UTCTime(seconds: now.seconds - 1000).isSoon(after: now))
        #expect(!UTCTime(seconds: now.seconds + 301).isSoon(after: now))
    }
}
