import Tensors
import Testing

@testable import HTTPFrontend

@Suite struct ForeignBodyTests {
    @Test(arguments: [
        ("", "the body is empty"), ("------abc\r\nContent-Disposition: form-data", "multipart/form-data is not taken"),
        ("@body.json", "--data-binary @FILE"), ("inputs=%5B%5D", "the body is a form"), ("<html>", "XML or HTML"),
        ("{'inputs': []}", "JSON has texts in double quotes"), ("\u{FEFF}{}", "a byte order mark"),
    ])
    func isTold(body: String, advice: String) {
        #expect(ForeignBody.advice(TensorBuffer(copying: Array(body.utf8)))?.contains(advice) == true)
    }

    @Test func bytesAreTold() {
        #expect(ForeignBody.advice([0x1F, 0x8B, 8])?.contains("Content-Encoding: gzip") == true)
        #expect(ForeignBody.advice([0xFF, 0xD8, 0xFF, 0xE0])?.contains("Inference-Header-Content-Length: 0") == true)
    }

    @Test(arguments: [#"{"inputs":["#, "[1", "true", "{"])
    func damagedJSONIsLeftToItsReader(body: String) { #expect(ForeignBody.advice(Array(body.utf8)) == nil) }
}
