import Tensors
import Testing

@testable import ObjectStorage

struct AWSCredentialTests {
    private static let now = UTCTime(seconds: 1_700_000_000)

    private func surroundings(_ environment: [String: String], _ files: [String: String] = [:]) -> Surroundings {
        var all = environment
        all["HOME"] = "/home/u"
        return Surroundings(environment: all) { files[$0].map { Array($0.utf8) } }
    }

    /// The keys that the first source leads to that is set up, with the requests on the way.
    private func find(
        _ environment: [String: String], _ files: [String: String] = [:], answers: [String] = []
    ) throws -> (credentials: StoreCredentials, source: String, requests: [StoreRequest])? {
        let surroundings = surroundings(environment, files)
        var answers = answers
        var requests: [StoreRequest] = []
        for source in AWSCredentials(surroundings: surroundings, settings: try AWSSettings(surroundings)).sources {
            guard var step = try source.begin(Self.now) else { continue }
            while case .ask(let request, let then) = step {
                requests.append(request)
                guard !answers.isEmpty else { return nil }
                step = try then(StoreAnswer(status: 200, body: Array(answers.removeFirst().utf8)))
            }
            guard case .done(let credentials, _) = step else { return nil }
            return (credentials, source.name, requests)
        }
        return nil
    }

    private static let files = [
        "/home/u/.aws/config": """
        [default]
        region = eu-west-1
        [profile dev]
        region=eu-central-1
        endpoint_url = https://minio.example.com:9000
        s3 =
          addressing_style = path
        [profile role]
        role_arn = arn:aws:iam::1:role/r
        source_profile = dev
        [profile loop]
        role_arn = arn:aws:iam::1:role/r
        source_profile = loop2
        [profile loop2]
        role_arn = arn:aws:iam::1:role/r
        source_profile = loop
        [profile process]
        credential_process = /bin/tool
        """,
        "/home/u/.aws/credentials": """
        # comment
        [default]
        aws_access_key_id = D
        aws_secret_access_key = DS
        [dev]
        aws_access_key_id=K
        aws_secret_access_key=S
        aws_session_token=T
        """,
    ]

    @Test func `The environment comes before the files`() throws {
        let found = try find(["AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "ES"], Self.files)
        #expect(found?.credentials == .aws(AWSKeys("E", "ES")))
        #expect(try find([:], Self.files)?.credentials == .aws(AWSKeys("D", "DS")))
        let named = try find(["AWS_PROFILE": "dev"], Self.files)
        #expect(named?.credentials == .aws(AWSKeys("K", "S", sessionToken: "T")))
        #expect(named?.source == "the profile 'dev' of ~/.aws")
    }

    @Test func `A profile says the region, whom to ask and how`() throws {
        let settings = try AWSSettings(surroundings(["AWS_PROFILE": "dev"], Self.files))
        #expect(settings.region == "eu-central-1")
        #expect(try settings.endpoint("S3")?.origin == "https://minio.example.com:9000")
        #expect(settings.usesPath == true)
        let other = try AWSSettings(
            surroundings(
                ["AWS_REGION": "r", "AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_S3": "http://b:2"], Self.files))
        #expect(other.region == "r")
        #expect(try other.endpoint("S3")?.origin == "http://b:2")
        #expect(try other.endpoint("STS")?.origin == "http://a:1")
        #expect(throws: HalcyonError.self) { try AWSSettings(surroundings(["AWS_PROFILE": "nobody"], Self.files)) }
        #expect(throws: HalcyonError.self) { try AWSSettings(surroundings(["AWS_REGION": "a/b"])) }
    }

    private static func role(_ action: String) -> String {
        """
        <\(action)Response><\(action)Result><Credentials><AccessKeyId>R</AccessKeyId>\
        <SecretAccessKey>RS</SecretAccessKey>\
        <SessionToken>RT</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></\(action)Result>\
        </\(action)Response>
        """
    }

    @Test func `A web identity is changed for a role's keys`() throws {
        let environment = [
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_REGION": "eu-west-1",
        ]
        let found = try find(environment, ["/t": "token\n"], answers: [Self.role("AssumeRoleWithWebIdentity")])
        #expect(found?.credentials == .aws(AWSKeys("R", "RS", sessionToken: "RT")))
        #expect(found?.requests.first?.url == "https://sts.eu-west-1.amazonaws.com/")
        let body = String(decoding: found?.requests.first?.body ?? [], as: UTF8.self)
        #expect(body.contains("WebIdentityToken=token"))
        #expect(body.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"))
        #expect(throws: HalcyonError.self) { try find(environment, [:]) }
        let error = #expect(throws: HalcyonError.self) {
            try find(
                environment, ["/t": "token"],
                answers: ["<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"])
        }
        #expect(error?.message.contains("AccessDenied") == true && error?.message.contains("token\n") == false)
    }

    @Test func `A profile's role is taken with another profile's keys`() throws {
        let found = try find(["AWS_PROFILE": "role"], Self.files, answers: [Self.role("AssumeRole")])
        #expect(found?.credentials == .aws(AWSKeys("R", "RS", sessionToken: "RT")))
        #expect(
            found?.requests.first?.headers.contains { $0.name == "authorization" && $0.value.contains("Credential=K/") }
                == true)
        #expect(throws: HalcyonError.self) { try find(["AWS_PROFILE": "loop"], Self.files) }
        let error = #expect(throws: HalcyonError.self) { try find(["AWS_PROFILE": "process"], Self.files) }
        #expect(error?.code == .unsupported)
    }

    @Test func `A container's credentials are asked for with its token`() throws {
        let keys =
            #"{"AccessKeyId": "C", "SecretAccessKey": "CS", "Token": "CT", "Expiration": "2030-01-01T00:00:00Z"}"#
        let environment = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t",
        ]
        let found = try find(environment, ["/t": "token"], answers: [keys])
        #expect(found?.credentials == .aws(AWSKeys("C", "CS", sessionToken: "CT")))
        #expect(found?.requests.first?.url == "http://169.254.170.23/v1/credentials")
        #expect(found?.requests.first?.headers == [.init("authorization", "token")])
        #expect(
            try find(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"], answers: [keys])?.requests.first?.url
                == "http://169.254.170.2/v2/x")
        #expect(throws: HalcyonError.self) { try find(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/x"]) }
    }

    @Test func `A machine's role is asked for in three steps`() throws {
        let keys = #"{"AccessKeyId": "M", "SecretAccessKey": "MS", "Token": "MT"}"#
        let found = try find([:], answers: ["token", "role name\n", keys])
        #expect(found?.credentials == .aws(AWSKeys("M", "MS", sessionToken: "MT")))
        #expect(
            found?.requests.map { "\($0.method.rawValue) \($0.url)" } == [
                "PUT http://169.254.169.254/latest/api/token",
                "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/",
                "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/role%20name",
            ])
        #expect(try find(["AWS_EC2_METADATA_DISABLED": "true"]) == nil)
    }

    @Test func `Nothing prints a secret`() {
        let keys = AWSKeys("identifier", "very secret", sessionToken: "very secret too")
        var text = ""
        dump(StoreCredentials.aws(keys), to: &text)
        dump(keys, to: &text)
        dump(Secret("very secret"), to: &text)
        for printed in [
            text, "\(keys)", "\(StoreCredentials.aws(keys))", String(reflecting: keys), "\(Secret("very secret"))",
        ] {
            #expect(!printed.contains("very secret"))
        }
    }
}
