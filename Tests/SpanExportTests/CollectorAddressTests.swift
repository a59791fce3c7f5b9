import Tensors
import Testing

@testable import SpanExport

@Suite struct CollectorAddressTests {
    @Test(arguments: [
        ("http://collector", "collector", 80, "/v1/traces"), ("http://127.0.0.1:4318/x/y", "127.0.0.1", 4318, "/x/y"),
        ("localhost:10000/v1/traces", "localhost", 10000, "/v1/traces"), ("collector", "collector", 80, "/v1/traces"),
        ("collector:4318", "collector", 4318, "/v1/traces"), ("HTTP://collector:1/", "collector", 1, "/"),
        ("http://[::1]:4318/x", "::1", 4318, "/x"), ("[fe80::1]", "fe80::1", 80, "/v1/traces"),
    ])
    func readsAnAddress(url: String, host: String, port: Int, path: String) throws {
        let address = try CollectorAddress(url)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.path == path)
    }

    @Test(arguments: [
        "", "http://", "http://a:0", "http://a:b", "http://a:1:2", "a:65536", "grpc://a:1", "[::1", "[::1]4318", ":80",
    ])
    func refusesAnAddress(url: String) {
        let error = #expect(throws: HalcyonError.self) { try CollectorAddress(url) }
        #expect(error?.message.contains("such as http://localhost:4318/v1/traces, got '\(url)'") == true)
    }

    @Test func saysThatThereIsNoTLS() {
        let error = #expect(throws: HalcyonError.self) { try CollectorAddress("https://collector") }
        #expect(error?.message.contains("without TLS") == true)
    }

    @Test func namesItself() throws {
        #expect(try CollectorAddress("[::1]:4318").authority == "[::1]:4318")
        #expect(try CollectorAddress("localhost").authority == "localhost:80")
    }
}
