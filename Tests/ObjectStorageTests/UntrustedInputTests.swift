import Tensors
import Testing

@testable import ObjectStorage

struct UntrustedInputTests {
    private func input(_ location: String, _ file: String? = nil) throws -> UntrustedInput {
        try UntrustedInput(location, Surroundings(environment: [:]) { _ in file.map { Array($0.utf8) } })
    }

    @Test func `A listing leads to files below the repository only`() throws {
        let listing = """
            <ListBucketResult><Contents><Key>m/a/1/x</Key><Size>1</Size></Contents>
            <Contents><Key>m/../y</Key><Size>1</Size></Contents><Contents><Key>z</Key><Size>1</Size></Contents>
            </ListBucketResult>
            """
        #expect(try input("s3://bucket/m").paths(listing: Array(listing.utf8)).sorted() == ["a", "a/1", "a/1/x"])
    }

    @Test func `Whatever a store says of coming again, and of how long a token lasts, is taken`() throws {
        let delay = try input("s3://bucket/m").refusal(
            status: 503, headers: [("retry-after", "9223372036854775807")], body: [], now: 1_700_000_000)
        #expect(delay == 30_000)
        let user = #"{"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}"#
        let answers = [("60", 0), ("3600", 2), ("9223372036854775807", 2), ("-9223372036854775808", 0)]
        for (lifetime, count) in answers {
            let token = Array(#"{"access_token": "t", "expires_in": \#(lifetime)}"#.utf8)
            #expect(try input("gs://bucket/m", user).credentials(answer: token, now: 1_700_000_000) == count)
        }
    }

    @Test func `What is wrong in a file of profiles is one line`() throws {
        for setting in ["region = eu\u{1A}\u{1B}", "endpoint_url = ftp://\u{1B}x"] {
            let input = try input("s3://bucket/m", "[default]\n\(setting)\n")
            let error = #expect(throws: HalcyonError.self) { try input.credentials(answer: [], now: 1_700_000_000) }
            #expect(error?.message.utf8.contains { $0 < 0x20 } == false, "\(error?.message ?? "")")
        }
    }

    @Test func `A refusal is one line`() throws {
        let body = Array("<Error><Code>A\nB</Code><Message>c&#10;d</Message></Error>".utf8)
        let error = #expect(throws: HalcyonError.self) {
            _ = try input("s3://bucket/m").refusal(status: 418, headers: [], body: body, now: 1_700_000_000)
        }
        #expect(error?.message.hasSuffix("the store refuses: AB: cd (418)") == true, "\(error?.message ?? "")")
    }
}
