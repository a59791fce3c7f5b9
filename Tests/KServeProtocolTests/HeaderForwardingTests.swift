import KServeProtocol
import Tensors
import Testing

@Suite("Header forwarding")
struct HeaderForwardingTests {
    private let headers = [
        ("Host", "x"), ("my_header_1", "a"), ("My_Header_2", "b"), ("not_my_header", "c"), ("timeout", "5"),
        ("triton_grpc_error", "true"), (":path", "/"), ("my_header_1", "d"),
    ].map { (name: $0.0, value: $0.1) }

    private func names(_ pattern: String) throws -> [String] {
        try HeaderForwarding(pattern: pattern).parameters(in: headers).map { "\($0.name)=\($0.value)" }
    }

    @Test("A name matches as a whole, whatever its case")
    func matching() throws {
        #expect(try names("my_header.*") == ["my_header_1=a, d", "My_Header_2=b"])
        #expect(try names("MY_HEADER.*") == ["my_header_1=a, d", "My_Header_2=b"])
        #expect(try names("(?-i)MY_HEADER.*") == [])
        #expect(try names("(?-i)my_header.*") == ["my_header_1=a, d"])
        #expect(try names("my_header") == [])
        #expect(try names("") == [])
    }

    @Test("What means something to the server can't be a header")
    func reserved() throws {
        #expect(try names(".*") == ["Host=x", "my_header_1=a, d", "My_Header_2=b", "not_my_header=c"])
    }

    @Test("A pattern that can't be read is said to be so")
    func errors() {
        do {
            _ = try HeaderForwarding(pattern: "(")
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(error.message.hasPrefix("the pattern '(' is no regular expression"))
        }
    }
}
