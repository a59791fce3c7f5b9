import Tensors
import Testing
import Vision

@Suite("JPEG scans")
struct JPEGScanTests {
    /// A progressive grey picture of one block and any number of scans that bring nothing.
    private func progressive(scans: Int) -> [UInt8] {
        func segment(_ marker: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            let length = bytes.count + 2
            return [0xFF, marker, UInt8(length >> 8), UInt8(length & 0xFF)] + bytes
        }
        var file: [UInt8] = [0xFF, 0xD8] + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
        file += segment(0xC2, [8, 0, 8, 0, 8, 1, 1, 0x11, 0])
        // One code each: a difference of 0, and the end of the block.
        file += segment(0xC4, [0x00, 1] + [UInt8](repeating: 0, count: 15) + [0])
        file += segment(0xC4, [0x10, 1] + [UInt8](repeating: 0, count: 15) + [0])
        file += segment(0xDA, [1, 1, 0, 0, 0, 0]) + [0x7F]
        for _ in 1..<scans { file += segment(0xDA, [1, 1, 0, 1, 63, 0]) + [0x7F] }
        return file + [0xFF, 0xD9]
    }

    @Test("Up to a hundred are decoded, and more refused before any is")
    func limit() throws {
        #expect(try decode(progressive(scans: 100)).width == 8)
        let error = #expect(throws: HalcyonError.self) { try decode(progressive(scans: 101)) }
        #expect(
            error?.message
                == "the picture 'test picture' has 101 scans of 64 pixels each; at most 100 of that size are decoded")
    }

    @Test("Large pictures may have fewer")
    func work() throws {
        var limits = PictureLimits()
        limits.maxScannedPixels = 640
        #expect(try decode(progressive(scans: 10), limits: limits).height == 8)
        #expect(throws: HalcyonError.self) { try decode(progressive(scans: 11), limits: limits) }
    }
}
