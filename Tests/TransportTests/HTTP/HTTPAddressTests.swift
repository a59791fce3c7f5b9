import Tensors
import Testing

@testable import Transport

@Suite("HTTP addresses")
struct HTTPAddressTests {
    @Test(
        "Where they lead",
        arguments: [
            ("http://localhost:8000/v2", false, "localhost", 8000, "/v2"),
            ("localhost:8000", false, "localhost", 8000, "/"),
            ("https://example.com", true, "example.com", 443, "/"),
            ("HTTP://10.0.0.1/a?b=c", false, "10.0.0.1", 80, "/a?b=c"),
            ("http://[::1]:9/x", false, "::1", 9, "/x"), ("https://[fe80::1]", true, "fe80::1", 443, "/"),
        ] as [(String, Bool, String, Int, String)])
    func addresses(text: String, isSecure: Bool, host: String, port: Int, path: String) throws {
        let address = try HTTPAddress(text)
        #expect((address.isSecure, address.host, address.port, address.path) == (isSecure, host, port, path))
    }

    @Test("Names are told from addresses, and a host is written as it must be")
    func hosts() throws {
        #expect(try HTTPAddress("https://example.com").isName)
        #expect(try !HTTPAddress("https://10.0.0.1").isName)
        #expect(try !HTTPAddress("https://[::1]").isName)
        #expect(try HTTPAddress("http://[::1]:8000").authority == "[::1]:8000")
    }

    @Test(
        "What is none",
        arguments: [
            "", "http://", "ftp://x", "http://x:0", "http://x:65536", "http://x:y", "http://a:1:2", "http://[::1",
            "http://[::1]x",
            "http://a b", "http://x/\n", "http://x/é", "http://user@x",
        ])
    func wrong(text: String) {
        let error = #expect(throws: HalcyonError.self) { try HTTPAddress(text) }
        #expect(error?.code == .invalidArgument)
    }
}
