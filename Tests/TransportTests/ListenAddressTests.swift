import Tensors
import Testing

@testable import Transport

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("[::]", "::"), ("::", "::"), ("[::1]", "::1"), ("0.0.0.0", "0.0.0.0"), ("localhost", "localhost"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ])
    func takesAddresses(text: String, host: String) throws {
        #expect(try ListenAddress(host: text, port: 1) == .internet(host: host, port: 1))
    }

    @Test(arguments: [
        ("", "is empty"), ("*", "write 0.0.0.0"), ("http://0.0.0.0", "has a scheme"),
        ("0.0.0.0:8000", "has a port in it"),
        ("[::]:8000", "has a port in it"), ("unix:", "lacks the socket's path"),
    ])
    func saysWhatIsWrong(text: String, complaint: String) {
        let error = #expect(throws: HalcyonError.self) { try ListenAddress(host: text, port: 1) }
        #expect(error?.message.contains(complaint) == true)
    }

    @Test(
        arguments: [
            ("127.0.0.1", true), ("127.1.2.3", true), ("localhost", true), ("::1", true), ("[::1]", true),
            ("unix:/run/s", true), ("0.0.0.0", false), ("::", false), ("192.168.0.1", false),
            ("127.example.com", false),
            ("myhost", false), ("127.0.0.1.example.com", false), ("127.0.0.256", false),
        ] as [(String, Bool)])
    func ofThisMachineOnly(text: String, expected: Bool) throws {
        #expect(try ListenAddress(host: text, port: 1).isOfThisMachineOnly == expected)
    }
}
