import ArgumentParser
import Tensors
import Testing
import Transport

@testable import halcyon

struct HealthProbeTests {
    private func error(_ answer: String) -> String? {
        let probe = HealthProbe(
            address: .internet(host: "127.0.0.1", port: 8000), path: "/v2/health/ready", timeoutSeconds: 1)
        do throws(HalcyonError) {
            try probe.check(answer: Array(answer.utf8))
            return nil
        } catch {
            return error.message
        }
    }

    @Test func `Only 200 is a yes`() {
        #expect(error("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == nil)
        #expect(error("HTTP/1.1 503 Service Unavailable\r\n") == "/v2/health/ready of 127.0.0.1:8000 answers 503")
        #expect(error("HTTP/1.1 2000\r\n") != nil)
    }

    @Test(arguments: ["", "\u{15}\u{3}\u{3}", "HTTP/1.1", "HTTP/1.1 OK", "SSH-2.0-OpenSSH\r\n"])
    func `What is no HTTP is said to be none`(answer: String) {
        #expect(error(answer)?.contains("did not answer in HTTP") == true)
    }

    @Test func `A model's name is a segment of the path, whatever it has in it`() throws {
        let path = { (words: [String]) in try HealthCommand.parse(words).path }
        #expect(try path([]) == "/v2/health/ready")
        #expect(try path(["--live"]) == "/v2/health/live")
        #expect(try path(["--model", "a b/é"]) == "/v2/models/a%20b%2F%C3%A9/ready")
    }
}
