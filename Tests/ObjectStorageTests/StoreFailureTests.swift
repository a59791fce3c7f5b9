import Tensors
import Testing

@testable import ObjectStorage

struct StoreFailureTests {
    private let now = UTCTime(seconds: 1_700_000_000)

    private func error(
        _ status: Int, _ code: String = "", region: String? = nil, origin: String? = "the environment",
        subject: String? = nil,
        headers: [StoreRequest.Field] = []
    ) throws -> HalcyonError {
        StoreFailure(
            location: try StoreLocation("s3://bucket/models"), origin: origin, searched: "here, there", subject: subject
        )
        .error(
            StoreAnswer(status: status, headers: headers), StoreRefusal(code: code, message: "said", region: region),
            now: now)
    }

    @Test(arguments: [
        (404, "NoSuchBucket", "there is no bucket of that name there: see what there is with 'aws s3 ls s3://bucket/'"),
        (403, "InvalidAccessKeyId", "does not know the key (InvalidAccessKeyId), which came from the environment"),
        (403, "SignatureDoesNotMatch", "the secret that came from the environment does not belong to the key"),
        (403, "AccessDenied", "give whom the credentials from the environment belong to s3:ListBucket"),
        (400, "ExpiredToken", "have expired"),
        (403, "RequestTimeTooSkewed", "this machine's clock differs from the store's"),
        (503, "SlowDown", "busy or out of order, after several tries: said (503)"),
        (418, "Teapot", "refuses: Teapot: said (418)"),
        (301, "PermanentRedirect", "set AWS_REGION to the bucket's region"),
    ])
    func `A refusal is one sentence with the next step`(status: Int, code: String, text: String) throws {
        let message = try error(status, code).message
        #expect(message.hasPrefix("the model repository 's3://bucket/models': "))
        #expect(message.contains(text), "\(message)")
        #expect(!message.contains("\n"))
    }

    @Test func `A region that the answer names is said`() throws {
        #expect(
            try error(400, "AuthorizationHeaderMalformed", region: "eu-west-1").message.contains(
                "set AWS_REGION=eu-west-1"))
    }

    @Test func `A clock that is off is seen by the answer's date`() throws {
        let date = [StoreRequest.Field("date", UTCTime(seconds: now.seconds + 7200).header)]
        #expect(try error(403, "AccessDenied", headers: date).message.contains("differs from the store's by 7200 s"))
        #expect(try error(403, "AccessDenied", headers: [.init("date", now.header)]).message.contains("s3:GetObject"))
    }

    @Test func `Without credentials it is said where they were looked for`() throws {
        #expect(try error(403, "AccessDenied", origin: nil).message.contains("none were found: looked for here, there"))
    }

    @Test func `Objects that change or go while they are copied are told`() throws {
        #expect(
            try error(412, subject: "models/m/1/x").message.contains("'models/m/1/x' has changed while it was copied"))
        #expect(try error(404, subject: "models/m/1/x").message.contains("has gone since it was listed"))
    }

    @Test(arguments: [
        (StoreTrouble.certificate("x"), "AWS_CA_BUNDLE"), (.host("x"), "is for another name"),
        (.noTLS, "does not speak TLS"),
        (.name, "the host store:9000 is not known"),
        (.connection("Connection refused"), "can't be reached, after several tries"),
    ])
    func `A store that can't be talked to is one sentence`(trouble: StoreTrouble, text: String) throws {
        let message = StoreFailure(location: try StoreLocation("s3://bucket/models")).unreachable(trouble, "store:9000")
            .message
        #expect(message.contains(text), "\(message)")
        if trouble.isPassing { #expect(message.contains("aws s3 sync s3://bucket/models models")) }
    }
}
