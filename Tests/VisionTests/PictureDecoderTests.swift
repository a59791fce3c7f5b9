import CPNG
import Foundation
import Tensors
import Testing
import Vision

@Suite("Picture decoder")
struct PictureDecoderTests {
    @Test("A JPEG comes back nearly as it went in")
    func jpeg() throws {
        let picture = try gradient(64, 48)
        let decoded = try decode(try PictureEncoder.jpeg(picture, quality: 95))
        #expect(decoded.width == 64 && decoded.height == 48)
        let worst = zip(picture.bytes, decoded.bytes).map { abs(Int($0) - Int($1)) }.max() ?? 255
        #expect(worst <= 12)
    }

    @Test("PNG: grey, with transparency, 16 bits a channel")
    func png() throws {
        let grey = try encodePNG(format: 0, width: 3, height: 2, [0, 50, 100, 150, 200, 250] as [UInt8])
        #expect(try decode(grey).pixel(2, 1) == [250, 250, 250])
        let transparent: [UInt8] = [10, 20, 30, 255, 40, 50, 60, 0]
        let rgba = try encodePNG(
            format: UInt32(PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA), width: 2, height: 1, transparent)
        #expect(try decode(rgba).bytes == [10, 20, 30, 0, 0, 0])
        let linear = try encodePNG(
            format: UInt32(PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_LINEAR), width: 1, height: 1,
            [65535, 0, 65535] as [UInt16])
        #expect(try decode(linear).bytes == [255, 0, 255])
    }

    private func encodePNG<Sample>(format: UInt32, width: UInt32, height: UInt32, _ pixels: [Sample]) throws -> [UInt8]
    {
        var image = png_image()
        image.version = UInt32(PNG_IMAGE_VERSION)
        image.width = width
        image.height = height
        image.format = format
        var size = 4096
        var bytes = [UInt8](repeating: 0, count: size)
        let status = pixels.withUnsafeBytes {
            png_image_write_to_memory(&image, &bytes, &size, 0, $0.baseAddress, 0, nil)
        }
        try #require(status != 0)
        return Array(bytes.prefix(size))
    }

    @Test("A file that ends too early is an error wherever it ends")
    func truncated() throws {
        let jpeg = try PictureEncoder.jpeg(try gradient(64, 64))
        for length in stride(from: 3, to: jpeg.count - 2, by: 7) {
            let error = #expect(throws: HalcyonError.self) { try decode(Array(jpeg.prefix(length))) }
            #expect(error?.message.contains("'test picture' is a damaged JPEG") == true)
        }
        let png = try encodePNG(format: 0, width: 16, height: 16, [UInt8](repeating: 7, count: 256))
        for length in 8..<png.count - 12 {
            let error = #expect(throws: HalcyonError.self) { try decode(Array(png.prefix(length))) }
            #expect(error?.message.contains("'test picture' is a damaged PNG") == true)
        }
    }

    @Test("Damaged bytes give a picture or an error, never a crash")
    func damaged() throws {
        let sources = [
            try PictureEncoder.jpeg(try gradient(40, 30)),
            try encodePNG(
                format: UInt32(PNG_FORMAT_FLAG_COLOR), width: 9, height: 9, [UInt8](repeating: 99, count: 243)),
        ]
        var limits = PictureLimits()
        limits.maxPixels = 1_000_000
        for source in sources {
            for position in source.indices {
                for value in [UInt8(0), 0xFF, source[position] ^ 0x55] {
                    var bytes = source
                    bytes[position] = value
                    if let picture = try? decode(bytes, limits: limits) {
                        #expect(picture.pixels.byteCount == picture.width * picture.height * 3)
                    }
                }
            }
        }
    }

    @Test("What is no picture is named, and why")
    func notAPicture() throws {
        let folder = try TemporaryFolder()
        let text = "\(folder.path)/text.jpg"
        try "not a picture".write(toFile: text, atomically: true, encoding: .utf8)
        let empty = "\(folder.path)/empty.png"
        try Data().write(to: URL(fileURLWithPath: empty))
        let cases = [
            (text, "is neither JPEG nor PNG"), (empty, "is empty"), (folder.path, "is not a file"),
            ("\(folder.path)/missing.jpg", "can't be read: No such file or directory"),
        ]
        for (path, reason) in cases {
            let error = #expect(throws: HalcyonError.self) { try PictureDecoder.read(path) }
            #expect(error?.message == "the picture '\(path)' \(reason)")
        }
    }

    @Test("A PNG file whose samples become too many bytes is refused before they do")
    func manySamples() throws {
        var limits = PictureLimits()
        limits.maxSampleBytes = 6 * 4 - 1
        let rgba = try encodePNG(
            format: UInt32(PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA), width: 3, height: 2,
            [UInt8](repeating: 1, count: 24))
        let error = #expect(throws: HalcyonError.self) { try decode(rgba, limits: limits) }
        #expect(error?.message.contains("has 3 x 2 pixels of 4 bytes") == true)
        limits.maxSampleBytes = 6 * 4
        #expect(try decode(rgba, limits: limits).width == 3)
    }

    @Test("A picture over the limits is refused before its memory is allocated")
    func enormous() throws {
        var limits = PictureLimits()
        limits.maxPixels = 63 * 64
        let bytes = try PictureEncoder.jpeg(try gradient(64, 64))
        let error = #expect(throws: HalcyonError.self) { try decode(bytes, limits: limits) }
        #expect(error?.message == "the picture 'test picture' has 64 x 64 pixels; 1 to 4032 are decoded")
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/large.jpg"
        try PictureEncoder.write(try gradient(64, 64), to: path)
        limits.maxFileBytes = 10
        #expect(throws: HalcyonError.self) { try PictureDecoder.read(path, limits: limits) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["large.jpg"])
    }
}
